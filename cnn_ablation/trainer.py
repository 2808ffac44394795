"""Trials on a device: compile once, then train any number of seeds.

spec = TrialSpec(network=NetworkSpec(stride=2))
trials = fit(spec, load_dataset("mnist"), seeds=range(100, 105))
"""

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.stages import Compiled

from cnn_ablation import model
from cnn_ablation.convolution import resolve_form
from cnn_ablation.data import Dataset
from cnn_ablation.errors import FieldError
from cnn_ablation.records import EpochRecord, TrialRecord
from cnn_ablation.spec import TrialSpec, require_seed
from cnn_ablation.training import (
    Examples,
    Metrics,
    Program,
    TrainState,
    create_train_state,
    evaluate,
    train_epoch,
)

OnEpoch = Callable[[int, EpochRecord], None]


@dataclasses.dataclass(frozen=True)
class Trial:
    """What a training leaves: its figures, and the parameters it ended with."""

    record: TrialRecord
    params: model.Params


class Trainer:
    """One spec's compiled programs and its data on the device, ready to train seeds.

    Attributes:
        spec: what is trained.
        form: the convolution's lowering: `native`, `xla` or `banded`.
        compile_seconds: what compiling took, or finding the programs in a cache.
    """

    def __init__(self, spec: TrialSpec, dataset: Dataset, *, conv: str = "auto") -> None:
        """Puts the data on the device and compiles.

        Args:
            spec: what to train; its image shape and classes must be the dataset's.
            dataset: the images.
            conv: how to lower convolutions: auto, native, xla or banded.

        Raises:
            InputError: the spec does not fit the dataset, or the lowering cannot be had.
        """
        _require_fit(spec, dataset)
        self.spec = spec
        self.form = resolve_form(conv, jax.default_backend())
        self._train = _on_device(dataset.train.images_NHWC, dataset.train.labels_N)
        self._test = _on_device(dataset.test.images_NHWC, dataset.test.labels_N)
        # The number of epochs is no part of any program: designs that differ in it share one.
        training = dataclasses.replace(spec.training, epochs=1)
        start = time.perf_counter()
        self._programs = _compile(
            Program(spec.network, training, self.form), _shapes(self._train), _shapes(self._test)
        )
        self.compile_seconds = time.perf_counter() - start

    def train(self, seed: int, on_epoch: OnEpoch | None = None) -> Trial:
        """Trains one seed; `on_epoch(seed, record)` hears of each epoch as it ends.

        Raises:
            FieldError: the seed is not allowed.
        """
        require_seed(seed)
        state: TrainState = self._programs.create(jnp.int32(seed))
        epochs: list[EpochRecord] = []
        for number in range(1, self.spec.training.epochs + 1):
            state, record = self._epoch(state, seed, number)
            if not (math.isfinite(record.train_loss) and math.isfinite(record.test_loss)):
                return Trial(TrialRecord(seed, "diverged", tuple(epochs)), state.params)
            epochs.append(record)
            if on_epoch is not None:
                on_epoch(seed, record)
        return Trial(TrialRecord(seed, "completed", tuple(epochs)), state.params)

    def _epoch(self, state: TrainState, seed: int, number: int) -> tuple[TrainState, EpochRecord]:
        start = time.perf_counter()
        state, train = self._programs.epoch(state, self._train, jnp.int32(seed), jnp.int32(number))
        jax.block_until_ready((state, train))
        trained = time.perf_counter()
        test = jax.block_until_ready(self._programs.evaluate(state.params, self._test))
        evaluated = time.perf_counter()
        (train_loss, train_accuracy), (test_loss, test_accuracy) = _means(train), _means(test)
        return state, EpochRecord(
            epoch=number,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            test_loss=test_loss,
            test_accuracy=test_accuracy,
            train_seconds=trained - start,
            eval_seconds=evaluated - trained,
        )


def fit(
    spec: TrialSpec,
    dataset: Dataset,
    seeds: Iterable[int],
    *,
    conv: str = "auto",
    on_epoch: OnEpoch | None = None,
) -> list[Trial]:
    """Trains one spec for several seeds; each comes out as if it had been trained alone.

    Args:
        spec: what to train.
        dataset: what `load_dataset` returned.
        seeds: one trial each.
        conv: how to lower convolutions: auto, native, xla or banded.
        on_epoch: called with the seed and the figures of each epoch as it ends.

    Raises:
        InputError: the spec, a seed, the dataset or the lowering is not allowed.
    """
    trainer = Trainer(spec, dataset, conv=conv)
    return [trainer.train(seed, on_epoch) for seed in seeds]


@dataclasses.dataclass(frozen=True)
class _Programs:
    create: Compiled
    epoch: Compiled
    evaluate: Compiled


@functools.lru_cache(maxsize=64)
def _compile(program: Program, train: Examples, test: Examples) -> _Programs:
    """Compiles for the shapes and types of two splits."""
    scalar = jax.ShapeDtypeStruct((), jnp.int32)
    create = jax.jit(functools.partial(create_train_state, program=program)).lower(scalar)
    state = create.out_info
    epoch = jax.jit(functools.partial(train_epoch, program=program), donate_argnums=0)
    measure = jax.jit(functools.partial(evaluate, program=program))
    return _Programs(
        create.compile(),
        epoch.lower(state, train, scalar, scalar).compile(),
        measure.lower(state.params, test).compile(),
    )


def _on_device(images_NHWC: np.ndarray, labels_N: np.ndarray) -> Examples:
    return Examples(jax.device_put(images_NHWC), jax.device_put(labels_N))


def _shapes(examples: Examples) -> Any:
    return jax.tree.map(lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype), examples)


def _means(metrics: Metrics) -> tuple[float, float]:
    """Mean loss and accuracy, divided in double precision on the host."""
    count = int(metrics.examples)
    return float(metrics.loss) / count, int(metrics.correct) / count


def _require_fit(spec: TrialSpec, dataset: Dataset) -> None:
    for name, given, has in (
        ("image_shape", spec.network.image_shape, dataset.image_shape),
        ("classes", spec.network.classes, dataset.num_classes),
    ):
        if given != has:
            raise FieldError(name, given, f"must be {has} for dataset {dataset.name}")
