"""One epoch is timed of any training, also of one whose warm-up is longer than an epoch."""

from types import SimpleNamespace
from typing import Any

import pytest

from cnn_ablation.design import TrainingSpec, TrialSpec
from cnn_ablation.execution import timing


def test_an_epoch_is_timed_of_a_training_with_a_longer_warm_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timed: list[TrialSpec] = []

    class Trainer:
        def __init__(self, spec: TrialSpec, *_: Any) -> None:
            timed.append(spec)

        def train(self, seed: int) -> Any:
            return SimpleNamespace(record=SimpleNamespace(epochs=[seed]))

    monkeypatch.setattr(timing, "Trainer", Trainer)
    store: Any = SimpleNamespace(plan=SimpleNamespace(lowering="xla"))
    datasets: Any = SimpleNamespace(get=lambda data: None)
    progress: Any = SimpleNamespace(advance=lambda: None)
    pace = timing._Pace(store, datasets, progress)
    for warmup in (0.0, 0.5, 3.0):
        pace.time(TrialSpec(training=TrainingSpec(epochs=4, warmup=warmup)), 0)
    assert [(spec.training.epochs, spec.training.warmup) for spec in timed] == [
        (1, 0.0),
        (1, 0.5),
        (1, 1.0),
    ]
