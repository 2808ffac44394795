"""A study over settings from the command: folders, picture, table, what is declared."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import small_study

from cnn_ablation import report
from cnn_ablation.commands.mapping import axes_of, finish_map
from cnn_ablation.data import Dataset
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.study import Study
from cnn_ablation.study.store import TRIALS, load_results

Run = Callable[..., tuple[int, str]]
MAP = "learning_rate:0.1,1 x epochs:1,2"


@pytest.fixture
def run(
    mnist: Dataset,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    # The map is what is looked at here, not its studies' reports.
    monkeypatch.setattr(report, "write_report", lambda _, folder, *__: folder / "report.html")

    def run(map_over: Any = None, **options: Any) -> tuple[int, str]:
        questions = small_study.study(4, 6).questions
        study = Study("small", "Does the width matter?", questions, map_over=map_over or {})
        chosen = StudyOptions.of(
            training=small_study.TRAINING,
            data=small_study.DATA,
            seeds=range(3),
            workdir=str(tmp_path / "map"),
            executor="inline",
            conv="xla",
            controls=False,
            **{"timing_rounds": 0, **options},
        )
        code = finish_map(study, chosen, axes_of(study, chosen))
        return code, capsys.readouterr().out

    return run


def test_a_map_is_trained_drawn_and_goes_on(run: Run, tmp_path: Path) -> None:
    code, said = run(map=MAP)
    folder = tmp_path / "map"
    assert code == 0 and "map      2 of 2: learning_rate=1.0 epochs=2" in said
    assert "better" in said and said.rstrip().endswith(f"map      {folder / 'map.png'}")
    assert (folder / "map.png").stat().st_size > 5000
    with (folder / "map.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(r["learning_rate"], r["epochs"]) for r in rows if r["claim"] == "better"] == [
        ("0.1", "1"),
        ("0.1", "2"),
        ("1.0", "1"),
        ("1.0", "2"),
    ]
    assert all("4 settings that were looked at" in row["exploratory"] for row in rows)
    assert "| learning_rate=0.1 epochs=1 |" in (folder / "map.md").read_text()
    studies = sorted(folder.glob("small-*"))
    assert [load_results(one).training.learning_rate for one in studies] == [0.1, 1.0]
    before = [(one / TRIALS).read_bytes() for one in studies]
    _, again = run(map=MAP)
    assert "trial 1/" not in again and "of which 6 are there" in again
    assert [(one / TRIALS).read_bytes() for one in studies] == before


def test_a_declared_map_shares_the_level_among_its_settings(run: Run, tmp_path: Path) -> None:
    code, _ = run(map_over={"learning_rate": (0.1, 1.0), "epochs": [1, 2]})
    assert code == 0
    with (tmp_path / "map" / "map.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["level"], row["exploratory"]) for row in rows} == {("0.0125", "")}
    for one in (tmp_path / "map").glob("small-*"):
        assert load_results(one).study.level == 0.0125


def test_a_dry_run_of_a_map_writes_nothing(run: Run, tmp_path: Path) -> None:
    code, said = run(map=MAP, dry_run=True)
    assert code == 0 and "forecast of the map: time 0:" in said and "for 2 studies" in said
    assert not (tmp_path / "map").exists()
