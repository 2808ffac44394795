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


def test_what_the_page_says_of_five_rates() -> None:
    verdicts = verdicts_by_setting("rates")
    rates = ("0.001", "0.01", "0.1", "1", "3")
    assert list(verdicts) == [
        f"rate {rate}, {plural(n, 'epoch')}" for rate in rates for n in EPOCHS
    ]
    cells = {(cell.setting, cell.contrast): cell for cell in map_cells(verdicts)}

    def at(rate: str, epochs: int, contrast: str) -> MapCell:
        return cells[f"rate {rate}, {plural(epochs, 'epoch')}", contrast]

    nines = [at(rate, 20, "k3,3 − k9,9") for rate in rates]
    differences = [round(cell.difference, 1) for cell in nines if cell.difference is not None]
    assert differences == [9.5, 2.9, -1.9, -1.0, -1.1]
    assert [cell.outcome for cell in nines] == ["holds", "holds", "fails", "fails", "fails"]
    every = {
        contrast: [at(rate, epochs, contrast) for rate in rates for epochs in EPOCHS]
        for contrast in (
            *("k3,3 − k5,5", "pool 3 − pool 2"),
            *("valid,valid − same,same", "valid,valid − same,valid"),
        )
    }
    for found in every.values():
        assert "holds" not in {cell.outcome for cell in found}
    pools = every["pool 3 − pool 2"]
    assert (
        min(cell.difference or 0.0 for cell in pools) == at("0.1", 5, "pool 3 − pool 2").difference
    )
    assert round(at("0.1", 5, "pool 3 − pool 2").difference or 0.0) == -41
    padded = every["valid,valid − same,same"] + every["valid,valid − same,valid"]
    assert {c.setting.split(",")[0] for c in padded if c.outcome == "fails"} == {"rate 0.01"}
    low = [at("0.001", n, "s4 − s5") for n in EPOCHS] + [
        at("0.01", n, "s4 − s5") for n in (1, 2, 3, 5)
    ]
    high = [at(rate, n, "s4 − s5") for rate in ("1", "3") for n in EPOCHS]
    high += [at("0.1", n, "s4 − s5") for n in (10, 20)]
    assert all(-6.5 < (cell.difference or 0.0) < -6 and cell.outcome == "fails" for cell in low)
    assert all((cell.difference or 0.0) > 20 and cell.outcome == "holds" for cell in high)
