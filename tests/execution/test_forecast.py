"""What a study will take: arithmetic on made-up paces, and a dry run that leaves nothing."""

import dataclasses
import json
from pathlib import Path

import pytest
import small_study

from cnn_ablation.data import Dataset
from cnn_ablation.design import NetworkSpec, TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.execution.dry_run import dry_run
from cnn_ablation.execution.executors import Task
from cnn_ablation.execution.forecast import (
    Forecast,
    Pace,
    stored_bytes,
    timing_seconds,
    training_seconds,
)
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.session import train_study
from cnn_ablation.study.store import TRIALS

LARGE, SMALL = (TrialSpec(NetworkSpec(stride=stride)) for stride in (1, 3))
PACES = {LARGE: Pace(10.0, 2.0), SMALL: Pace(1.0, 0.5)}


def test_one_worker_trains_one_task_after_another() -> None:
    tasks = [Task(SMALL, (0, 1, 2)), Task(LARGE, (0,))]
    assert training_seconds(tasks, 1, PACES, 0.0) == (0.5 + 3 * 2 * 1) + (2 + 2 * 10)


def test_two_workers_share_tasks_and_wait_for_the_longest() -> None:
    tasks = [Task(SMALL, (0, 1)), Task(LARGE, (0,)), Task(SMALL, (2, 3))]
    assert training_seconds(tasks, 2, PACES, 3.0) == 3 + 2 + 20
    assert training_seconds([], 2, PACES, 3.0) == 0


def test_rounds_are_timed_alone_after_one_that_warms_up() -> None:
    assert timing_seconds(PACES, [LARGE, SMALL], 4, 0.5) == 2.5 + 5 * 0.5 * 11
    assert timing_seconds(PACES, [LARGE, SMALL], 0, 0.5) == 0


def test_the_whole_is_the_sum_of_its_parts() -> None:
    assert Forecast(timing=1, report=2, size=0, startup=4, training=8).seconds == 15


def options(folder: Path, epochs: int = 2, **given: object) -> StudyOptions:
    training = dataclasses.replace(small_study.TRAINING).replace(epochs=epochs)
    return StudyOptions.of(
        training=training,
        data=small_study.DATA,
        seeds=range(3),
        workdir=str(folder),
        executor="inline",
        conv="xla",
        controls=False,
        **{"timing_rounds": 0, **given},
    )


def test_bytes_are_those_that_a_study_writes(mnist: Dataset, tmp_path: Path) -> None:
    for epochs in (1, 5):
        folder = tmp_path / str(epochs)
        results = train_study(small_study.study(4, 6), options(folder, epochs))
        tests = dict.fromkeys(results.plan.designs, 200)
        expected = stored_bytes(list(results.plan.trials()), tests, 0)
        written = (folder / TRIALS).stat().st_size
        assert 0.8 * written < expected < 1.25 * written


def test_a_dry_run_says_what_a_study_would_do_and_writes_nothing(
    mnist: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "study"
    first = dry_run(small_study.study(4, 6), options(folder, timing_rounds=2))
    printed = capsys.readouterr().out
    assert "trials   2 designs x 3 seeds = 6, of which 0 are there" in printed
    assert f"workdir  {folder}" in printed and "nothing was written" in printed
    assert "times are of 2 designs from an epoch that was just trained" in printed
    assert "warning  width: 1 contrast; 3 seeds cannot bring" in printed
    assert first.training > 0 and first.timing > 0 and not folder.exists()

    train_study(small_study.study(4, 6), options(folder))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = dry_run(small_study.study(4, 6), options(folder))
    printed = capsys.readouterr().out
    assert "of which 6 are there" in printed and "times are of 2 designs from the tri" in printed
    assert again.training == again.timing == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_paces_come_from_stored_trials(
    mnist: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "study"
    train_study(small_study.study(4, 6), options(folder))
    lines = [json.loads(line) for line in (folder / TRIALS).read_text().splitlines()]
    kept = [line for line in lines if line["seed"] < 2]
    (folder / TRIALS).write_text("".join(json.dumps(line) + "\n" for line in kept))
    seconds = dry_run(small_study.study(4, 6), options(folder)).training
    by_design: dict[str, list[float]] = {}
    for line in kept:
        times = [epoch["train_seconds"] + epoch["eval_seconds"] for epoch in line["epochs"]]
        by_design.setdefault(str(line["variant"]), []).extend(times)
    middle = [sum(sorted(times)[1:3]) / 2 for times in by_design.values()]
    assert seconds == pytest.approx(2 * sum(middle))
    assert "just trained" not in capsys.readouterr().out


def test_a_folder_of_another_study_is_refused_as_by_the_command(
    mnist: Dataset, tmp_path: Path
) -> None:
    train_study(small_study.study(4, 6), options(tmp_path))
    with pytest.raises(InputError, match="holds a study with epochs=2, not 3"):
        dry_run(small_study.study(4, 6), options(tmp_path, epochs=3))
