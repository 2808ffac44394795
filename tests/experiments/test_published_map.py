"""The map in docs/results.md: its sentences are what the committed trials say."""

import pytest

from cnn_ablation.claims.words import plural
from cnn_ablation.report.map_figure import MapCell
from cnn_ablation.report.map_files import map_cells
from experiments.published_map import EPOCHS, verdicts_by_setting


@pytest.fixture(scope="module")
def cells() -> dict[tuple[str, str], MapCell]:
    return {(cell.setting, cell.contrast): cell for cell in map_cells(verdicts_by_setting())}


def test_every_setting_is_there(cells: dict[tuple[str, str], MapCell]) -> None:
    settings = {setting for setting, _ in cells}
    assert settings == {
        f"rate {rate}, {plural(n, 'epoch')}" for rate in ("0.001", "1") for n in EPOCHS
    }


def test_what_the_page_says_of_it(cells: dict[tuple[str, str], MapCell]) -> None:
    def difference(rate: str, epochs: int, contrast: str) -> float:
        found = cells[f"rate {rate}, {plural(epochs, 'epoch')}", contrast].difference
        assert found is not None
        return found

    for epochs in EPOCHS[:-1]:
        assert -7.55 < difference("0.001", epochs, "s4 − s5") < -6
    for epochs in EPOCHS:
        assert 28.5 < difference("1", epochs, "s4 − s5") < 29.6
        one = cells[f"rate 1, {plural(epochs, 'epoch')}", "k3,3 − k5,5"]
        assert one.outcome == ("inconclusive" if epochs == 1 else "fails")
        assert abs(difference("1", epochs, "valid,valid − same,same")) < 0.06
        assert cells[f"rate 0.001, {plural(epochs, 'epoch')}", "pool 3 − pool 2"].outcome != "holds"
    assert round(difference("0.001", 20, "pool 3 − pool 2")) == -19
    assert round(difference("0.001", 5, "valid,valid − same,same"), 1) == -5.6
