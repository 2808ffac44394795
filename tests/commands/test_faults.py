"""Each file operation of a run fails in turn, or the process ends in front of it: nothing is lost.

`pytest -m search tests/commands/test_faults.py` hits every operation; otherwise it is each seventh.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faults
import pytest
import small_study
import tally
from fake_training import SPEC, FakeExecutor, train

from cnn_ablation import report
from cnn_ablation.commands.conclusion import finish_study
from cnn_ablation.data import Dataset
from cnn_ablation.errors import InputError
from cnn_ablation.execution import preparing
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.system.locks import sole_writer

KINDS: tuple[faults.Kind, ...] = ("full", "kill")


@pytest.fixture(autouse=True)
def fakes(mnist: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials are made up, always the same; the images are loaded once."""

    class AtHand:
        def __init__(self, *_: object, **__: object) -> None: ...

        def get(self, *_: object) -> Dataset:
            return mnist

    monkeypatch.setattr(preparing, "make_executor", FakeExecutor)
    monkeypatch.setattr(preparing, "Datasets", AtHand)
    monkeypatch.setattr(FakeExecutor, "same", True)
    monkeypatch.setattr(
        report, "write_report", lambda results, folder, tests: folder / "report.html"
    )


def run_design(folder: Path) -> None:
    assert train(folder, overwrite=False) == 0


def run_again(folder: Path) -> None:
    assert train(folder, overwrite=True) == 0


def run_study(folder: Path) -> None:
    FakeExecutor.trained, FakeExecutor.stop_at = [], None
    options = StudyOptions.of(
        training=SPEC.training,
        data=SPEC.data,
        seeds=(3, 4),
        workdir=str(folder),
        controls=False,
        timing_rounds=0,
        executor="inline",
        conv="xla",
    )
    assert finish_study(small_study.study(4, 6), options) == 0


def losses(folder: Path) -> list[Any]:
    """What a finished folder holds, without times."""
    lines = [json.loads(line) for line in (folder / "trials.jsonl").read_bytes().splitlines()]
    found = sorted((line["trial_id"], line["epochs"]) for line in lines)
    metrics = folder / "metrics.json"
    if not metrics.exists():
        return [found, None]
    epochs = [json.loads(line) for line in (folder / "metrics.jsonl").read_bytes().splitlines()]
    return [found, json.loads(metrics.read_bytes())["runs"], epochs]


def require_whole_lines(folder: Path, kind: faults.Kind) -> None:
    """After a full disk all lines are whole; a kill may leave a torn last one."""
    for path in folder.rglob("*.jsonl"):
        *lines, tail = path.read_bytes().split(b"\n")
        for line in lines:
            json.loads(line)
        assert not tail or kind == "kill", path


def hit(
    run: Callable[[Path], None],
    folder: Path,
    number: int,
    kind: faults.Kind,
    patch: pytest.MonkeyPatch,
) -> str:
    """Runs with a fault at an operation; returns the operation, nothing where there were fewer."""
    with faults.fault(folder, number, kind, patch) as fault:
        outcome = "went on"
        try:
            run(folder)
        except faults.Killed:
            outcome = "killed"
        except (InputError, OSError) as error:
            assert str(error).isprintable()
            outcome = "one line"
    if fault.what:
        tally.note(f"{run.__name__} ({kind})", fault.what.split(" ")[0], outcome)
    return fault.what


def sweep(
    run: Callable[[Path], None], tmp_path: Path, patch: pytest.MonkeyPatch, *, step: int, old: bool
) -> None:
    """Hits operations one at a time, each in a folder of its own, and lets the run go on after."""
    calm = tmp_path / "calm"
    if old:
        run_design(calm)
    run(calm)
    expected = losses(calm)
    for kind in KINDS:
        for number in range(1, 1000, step):
            folder = tmp_path / f"{kind}{number}"
            if old:
                run_design(folder)
                before = (folder / "metrics.json").read_bytes()
            what = hit(run, folder, number, kind, patch)
            require_whole_lines(folder, kind)
            if not what:
                break
            if old:
                now = (folder / "metrics.json").read_bytes()
                assert now == before or json.loads(now)["runs"] == expected[1]
            recorded = len(kept(folder, old=old))
            finished = (folder / "metrics.json").exists() and not old
            if finished:
                with pytest.raises(InputError, match="holds a finished run"):
                    run(folder)
            else:
                run(folder)
                assert len(FakeExecutor.trained) == len(expected[0]) - recorded, (number, what)
            assert losses(folder) == expected, (number, what)
            with sole_writer(folder):
                pass
        assert number > 20, "so many operations a run has"


def kept(folder: Path, *, old: bool) -> list[Any]:
    """The trials that are on disk, of which none may be trained again."""
    path = folder / (".replacement/trials.jsonl" if old else "trials.jsonl")
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


RUNS = [(run_design, False), (run_again, True), (run_study, False)]


@pytest.mark.parametrize(("run", "old"), RUNS)
def test_some_operations_fail(
    run: Callable[[Path], None], old: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(run, tmp_path, monkeypatch, step=7, old=old)


@pytest.mark.search
@pytest.mark.parametrize(("run", "old"), RUNS)
def test_every_operation_fails(
    run: Callable[[Path], None], old: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(run, tmp_path, monkeypatch, step=1, old=old)
