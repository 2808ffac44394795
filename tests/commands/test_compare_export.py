"""Runs side by side and as tables: from folders alone, and whatever they hold."""

import csv
import dataclasses
import io
import json
import shutil
import sys
from pathlib import Path

import filled_study
import pytest
from absl import flags

from cnn_ablation.commands import compare, export
from cnn_ablation.commands.comparing import matches, settings_that_differ, verdicts_of
from cnn_ablation.commands.runs import read_runs
from cnn_ablation.errors import InputError
from cnn_ablation.study import rows
from cnn_ablation.study.single import study_of
from cnn_ablation.system.stored import seal
from cnn_ablation.training.records import TrialRecord

PLAN = filled_study.PLAN
SEEDS = tuple(range(8))


def shifted(trial: TrialRecord, by: float) -> TrialRecord:
    last = trial.epochs[-1]
    better = dataclasses.replace(last, test_accuracy=last.test_accuracy + by)
    return dataclasses.replace(trial, epochs=(*trial.epochs[:-1], better))


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two studies of the same designs, the second at another rate and 2 points less accurate."""
    found = []
    for name, rate, by in (("fast", 1.0, 0.0), ("slow", 0.5, -0.02)):
        plan = dataclasses.replace(
            PLAN, seeds=SEEDS, training=PLAN.training.replace(learning_rate=rate)
        )
        trials = [shifted(filled_study.trial(s, seed), by) for s, seed in plan.trials()]
        filled_study.fill(tmp_path / name, trials, plan)
        found.append(tmp_path / name)
    return found


def test_only_settings_that_differ_are_shown(folders: list[Path]) -> None:
    runs = read_runs(list(map(str, folders)))
    assert settings_that_differ(runs) == [
        ("setting", "fast", "slow"),
        ("learning_rate", "1.0", "0.5"),
    ]


def test_designs_of_one_label_are_compared_by_seed(folders: list[Path]) -> None:
    runs = read_runs(list(map(str, folders)))
    groups = matches(runs)
    assert [[entry.name for entry in group] for group in groups] == [
        ["fast: hidden=4", "slow: hidden=4"],
        ["fast: hidden=6", "slow: hidden=6"],
    ]
    verdicts = verdicts_of(groups, "test_accuracy")
    assert [verdict.family_size for verdict in verdicts] == [2, 2]
    for verdict in verdicts:
        (one,) = verdict.contrasts
        assert one.difference == pytest.approx(0.02)
        assert one.n == len(SEEDS)
        assert verdict.exploratory
    # The same designs have the same parameters: nothing to compare.
    assert verdicts_of(groups, "params") == []


def test_what_is_printed(
    folders: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["cnn-ablation compare", *map(str, folders)])
    monkeypatch.setattr(flags, "DEFINE_string", lambda *_, **__: None)
    monkeypatch.setattr(compare, "FLAGS", type("Given", (), {"metric": "test_accuracy"}))
    compare._compare([str(folder) for folder in folders])
    said = capsys.readouterr().out
    assert "hidden=4: fast - slow  +2.00 points" in said
    assert "Exploratory" in said
    assert "nothing is judged" not in said


def test_one_seed_in_common_is_too_few(folders: list[Path], tmp_path: Path) -> None:
    plan = dataclasses.replace(PLAN, seeds=(0,))
    filled_study.fill(tmp_path / "one", [filled_study.trial(s, 0) for s in plan.designs], plan)
    runs = read_runs([str(folders[0]), str(tmp_path / "one")])
    assert verdicts_of(matches(runs), "test_accuracy") == []


def test_a_run_of_which_only_metrics_are_there_is_read(tmp_path: Path) -> None:
    spec = PLAN.designs[0]
    trials = [filled_study.trial(spec, seed) for seed in SEEDS]
    document = {
        "schema_version": 1,
        "spec": spec.to_json(),
        "dataset": {"name": "mnist", "version": "3.0.1", "fingerprint": "0"},
        "params": 1,
        "macs": 1,
        "runs": [trial.run_json() for trial in trials],
        "times": {},
        "environment": {},
    }
    (tmp_path / "metrics.json").write_text(json.dumps(seal(document)))
    (run,) = read_runs([str(tmp_path / "metrics.json")])
    assert run.results.trials == tuple(trials)
    assert run.results.study == study_of(spec)
    (tmp_path / "metrics.json").write_text(json.dumps(seal({**document, "runs": 3})))
    with pytest.raises(InputError, match=r"metrics\.json: is damaged"):
        read_runs([str(tmp_path)])


def test_the_same_run_twice_is_refused(folders: list[Path]) -> None:
    with pytest.raises(InputError, match="is named twice"):
        read_runs([str(folders[0]), str(folders[0])])


def test_folders_of_one_name_are_told_apart(folders: list[Path], tmp_path: Path) -> None:
    shutil.copytree(folders[0], tmp_path / "other" / "fast")
    runs = read_runs([str(folders[0]), str(tmp_path / "other" / "fast")])
    assert len({run.name for run in runs}) == 2


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_a_row_a_trial_and_epoch_is_written(ending: str, folders: list[Path]) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    (run,) = read_runs([str(folders[0])])
    wanted = [{"run": "fast", **row} for row in rows.rows_of(run.results)]
    content = export._content(Path(f"table{ending}"), wanted)
    if ending == ".csv":
        read = list(csv.DictReader(io.StringIO(content.decode())))
        assert [row["run"] for row in read] == ["fast"] * len(wanted)
    elif ending == ".jsonl":
        assert [json.loads(line) for line in content.splitlines()] == wanted
    else:
        import pyarrow.parquet

        assert pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist() == wanted
    assert len(wanted) == 2 * 2 * len(SEEDS)


def test_results_become_tables_of_other_packages(folders: list[Path]) -> None:
    (run,) = read_runs([str(folders[0])])
    pytest.importorskip("pyarrow")
    table = run.results.to_arrow()
    assert table.num_rows == 2 * 2 * len(SEEDS)
    assert table.column_names == list(rows.columns())
    pytest.importorskip("pandas")
    frame = run.results.to_pandas()
    assert list(frame.columns) == table.column_names
    assert frame["test_accuracy"].tolist() == table["test_accuracy"].to_pylist()
    assert str(frame["seed"].dtype) == "Int64"


@pytest.mark.parametrize("package", ["pyarrow", "pandas"])
def test_a_missing_package_is_named(
    package: str, folders: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = read_runs([str(folders[0])])
    monkeypatch.setitem(sys.modules, package, None)
    ask = run.results.to_arrow if package == "pyarrow" else run.results.to_pandas
    with pytest.raises(InputError, match=f"pip install {package}"):
        ask()


def test_results_are_shown_in_a_line(folders: list[Path]) -> None:
    (run,) = read_runs([str(folders[0])])
    assert repr(run.results) == "StudyResults(small: 2 designs, 16 trials, 0 timings)"
