"""A small study's folder with invented trials and times, for tests of what becomes of its files."""

from pathlib import Path

import small_study

from cnn_ablation.design import TrialSpec
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.results import StudyResults, Timing
from cnn_ablation.study.store import Store
from cnn_ablation.training.records import EpochRecord, Status, TrialRecord

PLAN = Plan(
    study=small_study.study(4, 6),
    training=small_study.TRAINING,
    data=small_study.DATA,
    dataset_version="3.0.1",
    fingerprint="0123456789abcdef",
    lowering="xla",
    seeds=(0, 1, 2),
    environment={"device": "cpu: 1 x cpu, 2 cores"},
)
MACHINE, OTHER_MACHINE = {"node": "a"}, {"node": "b"}


def trial(
    spec: TrialSpec, seed: int, status: Status = "completed", error: str | None = None
) -> TrialRecord:
    accuracy = 0.9 + spec.network.hidden_layers[0] / 1000 + seed / 100_000
    epochs = tuple(EpochRecord(n, 0.5, 0.8, 0.4, accuracy + n / 50, 1.5, 0.1) for n in (1, 2))
    return TrialRecord(spec, seed, status, () if status == "failed" else epochs, error)


ALL = [trial(spec, seed) for spec, seed in PLAN.trials()]


def fill(folder: Path, trials: list[TrialRecord] = ALL, plan: Plan = PLAN) -> StudyResults:
    with Store(folder, plan) as store:
        for one in trials:
            store.add_trial(one)
        return store.results()


def times(seconds: float, *specs: TrialSpec) -> list[Timing]:
    return [Timing(spec, 1, seconds, 0.1) for spec in specs]
