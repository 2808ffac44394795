"""Timing rounds are taken once for all studies of the same designs on a machine."""

from pathlib import Path
from typing import Any

import pytest
import small_study

from cnn_ablation.data import Dataset
from cnn_ablation.design import NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.session import train_study
from cnn_ablation.execution.shared_rounds import SharedRounds
from cnn_ablation.study.results import StudyResults, Timing

MACHINE = {"node": "a", "cores": 2}
ONE, TWO = (TrialSpec(NetworkSpec(stride=stride)) for stride in (1, 2))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("CNN_ABLATION_CACHE_DIR", str(folder))
    return folder / "timings" / "rounds.jsonl"


def times(*seconds: float) -> list[Timing]:
    return [Timing(spec, 1, s, 0.1) for spec, s in zip((ONE, TWO), seconds, strict=False)]


def test_a_round_is_found_whatever_epochs_rate_and_seeds(cache: Path) -> None:
    shared = SharedRounds(MACHINE, "r1")
    shared.add(times(1.0, 2.0))
    other = ONE.replace(epochs=20, learning_rate=0.001, order_seed=3)
    ((found,),) = SharedRounds(MACHINE, "r1").of([other])
    assert (found.spec, found.train_seconds, found.eval_seconds) == (other, 1.0, 0.1)


def test_a_round_must_have_every_design_on_this_machine_by_this_code(cache: Path) -> None:
    shared = SharedRounds(MACHINE, "r1")
    shared.add(times(1.0))
    assert shared.of([ONE, TWO]) == [] and len(shared.of([ONE])) == 1
    assert SharedRounds(MACHINE, "r2").of([ONE]) == []
    assert SharedRounds({**MACHINE, "cores": 1}, "r1").of([ONE]) == []
    for changed in (
        ONE.replace(batch_size=64),
        ONE.replace(optimizer="adam"),
        ONE.replace(train_split="train[:50%]"),
    ):
        assert shared.of([changed]) == []


def test_damaged_lines_are_passed_over(cache: Path) -> None:
    shared = SharedRounds(MACHINE, "r1")
    shared.add(times(1.0))
    shared.add(times(2.0))
    first, second = cache.read_bytes().splitlines(keepends=True)
    for damaged in (
        b"{",
        b"[1]\n",
        first.replace(b'"train_seconds": 1.0', b'"train_seconds": 9.0'),
    ):
        cache.write_bytes(damaged.rstrip(b"\n") + b"\n" + second)
        assert [[t.train_seconds for t in own] for own in shared.of([ONE])] == [[2.0]]


def study(folder: Path, epochs: int, **more: Any) -> StudyResults:
    options = StudyOptions.of(
        training=TrainingSpec(epochs=epochs, learning_rate=0.1 * epochs),
        data=small_study.DATA,
        seeds=range(1),
        workdir=str(folder),
        executor="inline",
        conv="xla",
        controls=False,
        **{"timing_rounds": 2, **more},
    )
    return train_study(small_study.study(4, 6), options)


def seconds(results: StudyResults) -> list[tuple[int, Any, float]]:
    return sorted((t.round, t.spec.network.hidden, t.train_seconds) for t in results.timings)


def test_a_second_study_of_the_same_designs_times_nothing(
    mnist: Dataset, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = study(tmp_path / "1", 1)
    capsys.readouterr()
    second = study(tmp_path / "2", 2)
    said = capsys.readouterr().out
    assert "timing   2 rounds that other studies took of these designs" in said
    assert "warming up" not in said
    assert seconds(first) == seconds(second)
    third = study(tmp_path / "2", 2, timing_rounds=3)
    assert {t.round for t in third.timings} == {1, 2, 3}
    assert "warming up" in capsys.readouterr().out
    assert len(SharedRounds({}, None)._lines()) == 3


def test_a_study_may_take_rounds_of_its_own(
    mnist: Dataset, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study(tmp_path / "1", 1)
    study(tmp_path / "2", 2, share_timings=False)
    assert "that other studies took" not in capsys.readouterr().out
