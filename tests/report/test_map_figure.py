"""The map of verdicts: from a plain table to a picture."""

from pathlib import Path

import pytest
from PIL import Image

from cnn_ablation.claims.verdict import Outcome
from cnn_ablation.errors import InputError
from cnn_ablation.report.map_figure import MapCell, draw_map, map_chart

KERNELS: tuple[tuple[int, float, Outcome], ...] = ((5, 1.5, "holds"), (7, 0.1, "inconclusive"))
CELLS = [
    MapCell(f"rate {rate:g}", f"k{k} − k{k - 2}", d - rate, d - rate - 0.2, d - rate + 0.2, outcome)
    for rate in (0.001, 0.1, 1.0)
    for k, d, outcome in KERNELS
]


@pytest.mark.parametrize("form", ["png", "svg"])
def test_a_map_is_written_in_the_form_that_its_name_asks_for(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"map.{form}"
    draw_map(CELLS, path)
    if form == "png":
        with Image.open(path) as image:
            assert image.width == 1245
    else:
        text = path.read_text(encoding="utf-8")
        for said in ("rate 0.001", "k5 − k3", "✓ +1.50", "? −0.90"):
            assert said in text
        assert "<image" not in text


def test_what_is_missing_stays_empty_and_every_verdict_is_told() -> None:
    chart = map_chart("map", [*CELLS, MapCell("rate 3", "k5 − k3", None)])
    (panel,) = chart.panels
    assert "rate 3: k5 − k3 not judged" in panel.alt
    assert panel.alt.count("holds") == 3


def test_each_measure_and_each_run_of_columns_has_a_panel_of_its_own() -> None:
    wide = [MapCell("here", f"c{number}", 0.1) for number in range(31)]
    loss = MapCell("here", "c0", -0.1, measure="difference in test loss (nats)")
    chart = map_chart("map", [*wide, loss])
    assert len(chart.panels) == 3 + 1
    assert len({panel.name for panel in chart.panels}) == 4


@pytest.mark.parametrize(
    ("cells", "name", "said"),
    [
        ([], "map.png", "must have a cell"),
        ([CELLS[0], CELLS[0]], "map.png", "each contrast once"),
        (CELLS, "map.pdf", r"must end in \.png or \.svg"),
    ],
)
def test_what_is_no_map_is_refused(
    cells: list[MapCell], name: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        draw_map(cells, tmp_path / name)
    assert not list(tmp_path.iterdir())
