"""What do a CNN's design choices really do? One trial, or a study of many, in JAX and Flax.

    import cnn_ablation as cnn

    spec = cnn.TrialSpec(network=cnn.NetworkSpec(stride=2))
    dataset = cnn.load_dataset("mnist")
    for trial in cnn.fit(spec, dataset, seeds=range(100, 105)):
        print(trial.record.seed, trial.record.epochs[-1].test_accuracy)

Names are imported when first used, so that what needs no JAX does not wait for it.
"""

import importlib
from typing import TYPE_CHECKING, Any

from cnn_ablation.version import __version__

if TYPE_CHECKING:
    from cnn_ablation.data import Dataset, load_dataset
    from cnn_ablation.design.spec import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
    from cnn_ablation.design.summary import format_summary, summarize
    from cnn_ablation.errors import FieldError, InputError
    from cnn_ablation.network.model import apply, init
    from cnn_ablation.training.records import EpochRecord, TrialRecord
    from cnn_ablation.training.steps import create_train_state, evaluate, train_epoch, train_step
    from cnn_ablation.training.trainer import Trainer, Trial, fit

__all__ = [
    "DataSpec",
    "Dataset",
    "EpochRecord",
    "FieldError",
    "InputError",
    "NetworkSpec",
    "Trainer",
    "TrainingSpec",
    "Trial",
    "TrialRecord",
    "TrialSpec",
    "__version__",
    "apply",
    "create_train_state",
    "evaluate",
    "fit",
    "format_summary",
    "init",
    "load_dataset",
    "summarize",
    "train_epoch",
    "train_step",
]

_HOMES = {
    "data": ("Dataset", "load_dataset"),
    "errors": ("FieldError", "InputError"),
    "network.model": ("apply", "init"),
    "training.records": ("EpochRecord", "TrialRecord"),
    "design.spec": ("DataSpec", "NetworkSpec", "TrainingSpec", "TrialSpec"),
    "design.summary": ("format_summary", "summarize"),
    "training.trainer": ("Trainer", "Trial", "fit"),
    "training.steps": ("create_train_state", "evaluate", "train_epoch", "train_step"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"cnn_ablation.{home}"), name)
    raise AttributeError(f"module 'cnn_ablation' has no attribute {name!r}")
