"""The study of the sources of variance: a full crossing, and its table in the right order."""

import subprocess
from pathlib import Path

import forked
import numpy as np
import pytest

from cnn_ablation.data import Dataset
from cnn_ablation.design import NetworkSpec, TrialSpec
from cnn_ablation.study.results import StudyResults
from cnn_ablation.training.records import EpochRecord, TrialRecord
from experiments import variance

ROOT = Path(__file__).parents[2]
TINY = ("--features=2", "--stride=5", "--hidden=3", "--conv=xla", "--executor=inline")
SPLITS = ("--train_split=train[:256]", "--test_split=test[:200]", "--epochs=1")


def test_a_crossing_has_every_combination_and_its_table_their_places() -> None:
    study = variance.crossing(TrialSpec(NetworkSpec(stride=5)), ("init", "noise"), 3)
    variants = study.questions[0].variants
    assert [dict(v.training) for v in variants][:4] == [
        {"init_seed": 0, "noise_seed": 0},
        {"init_seed": 0, "noise_seed": 1},
        {"init_seed": 0, "noise_seed": 2},
        {"init_seed": 1, "noise_seed": 0},
    ]

    class Results:
        def __init__(self) -> None:
            self.study = study

        def trials_of(self, variant: object) -> list[TrialRecord]:
            place = variants.index(variant)
            epoch = EpochRecord(1, 0.5, 0.5, 0.5, place / 100, 1.0, 1.0)
            spec = TrialSpec(NetworkSpec(stride=5))
            return [TrialRecord(spec, 0, "completed", (epoch,))]

    results: StudyResults = Results()  # type: ignore[assignment]
    table = variance.table_of(results, ("init", "noise"), "test_accuracy")
    np.testing.assert_allclose(table, np.arange(9).reshape(3, 3) / 100)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.run("-m", "experiments.variance", *arguments)


@pytest.mark.processes
def test_the_command(mnist: Dataset, tmp_path: Path) -> None:
    done = run(*TINY, *SPLITS, "--levels=2", f"--workdir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert "init x order" in done.stdout and "share of variance" in done.stdout
    lines = (tmp_path / "variance.csv").read_text().splitlines()
    assert len(lines) == 1 + 2 * 3
    assert len((tmp_path / "trials.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sources=luck",), "--sources=luck: must be among init, order, noise"),
        (("--sources=init,init",), "--sources=init,init: must name each source once"),
        (("--sources=noise",), "--sources=noise: means nothing without --dropout or --augment"),
    ],
)
def test_bad_flags(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr.strip().splitlines()[-1].split("error: ")[-1]) == (2, said)
