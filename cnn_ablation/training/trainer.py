"""Trials on a device: compile once, then train any number of seeds.

spec = TrialSpec(network=NetworkSpec(stride=2))
trials = fit(spec, load_dataset("mnist"), seeds=range(100, 105))
"""

import dataclasses
import math
import operator
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from numpy.typing import NDArray

from cnn_ablation.data import Dataset
from cnn_ablation.design import TrainingSpec, TrialSpec, require_seed
from cnn_ablation.design.training import SEED_FIELDS
from cnn_ablation.errors import FieldError
from cnn_ablation.network.lowerings import choose_lowering
from cnn_ablation.network.model import Params, Variables
from cnn_ablation.system import stopping
from cnn_ablation.system.correctness import Correctness
from cnn_ablation.training.compiled import compile_executables
from cnn_ablation.training.compute import ComputeOptions
from cnn_ablation.training.mesh import SEED_AXIS, by_seed, gather, make_mesh, place, replicated
from cnn_ablation.training.records import EpochRecord, Status, TrialRecord
from cnn_ablation.training.state import Examples, Metrics, Seeds, TrainConfig, TrainState
from cnn_ablation.training.steps import rate_of

OnEpoch = Callable[[int, EpochRecord], None]


@dataclasses.dataclass(frozen=True)
class TrainedTrial:
    """What a training leaves: its figures, and the variables that it ended with.

    Attributes:
        record: the figures.
        variables: parameters and running statistics, as `network.model.apply` takes them.
    """

    record: TrialRecord
    variables: Variables

    def __repr__(self) -> str:
        return repr(self.record).replace("TrialRecord", "TrainedTrial", 1)

    @property
    def params(self) -> Params:
        """The parameters by layer."""
        return self.variables["params"]


class Trainer:
    """One spec's executables and its data on the devices, ready to train seeds.

    Attributes:
        spec: what is trained.
        lowering: name of the lowering: `native`, `direct`, `xla` or `banded`.
        seeds_at_once: how many seeds `train_together` takes at most.
        compile_seconds: what compiling took, or finding the executables in a cache.
    """

    def __init__(
        self,
        spec: TrialSpec,
        dataset: Dataset,
        compute: ComputeOptions | None = None,
        *,
        devices: Sequence[jax.Device] | None = None,
        num_seeds: int = 1,
    ) -> None:
        """Puts the data on the devices and compiles.

        Args:
            spec: what to train; its image shape and classes must be the dataset's.
            dataset: the images.
            compute: how to lower, and how many seeds a device trains together.
            devices: where to train; None is JAX's first device.
            num_seeds: how many seeds there will be: they are spread over the devices first, and
                each batch over the devices that are left.

        Raises:
            InputError: the spec does not fit the dataset, or the lowering cannot be had.
        """
        _require_fit(spec, dataset)
        compute = compute or ComputeOptions()
        devices = jax.devices()[:1] if devices is None else devices
        self.spec = spec
        self.lowering = choose_lowering(compute.conv, devices[0].platform)
        self._mesh = make_mesh(devices, num_seeds)
        rows = self._mesh.shape[SEED_AXIS]
        seeds_per_device = min(compute.seeds_per_device, -(-num_seeds // rows))
        self.seeds_at_once = rows * seeds_per_device
        self._train, self._test = (
            Examples(*place((split.images_NHWC, split.labels_N), replicated(self._mesh)))
            for split in (dataset.train, dataset.test)
        )
        stopping.check()
        start = time.perf_counter()
        self._executables = compile_executables(
            train_config(spec, len(dataset.train.labels_N), self.lowering, compute.precision),
            self._mesh,
            _shapes(self._train),
            _shapes(self._test),
            seeds_per_device,
        )
        self.compile_seconds = time.perf_counter() - start
        stopping.check()

    def train(self, seed: int, on_epoch: OnEpoch | None = None) -> TrainedTrial:
        """Trains one seed; `on_epoch(seed, record)` hears of each epoch as it ends.

        Raises:
            FieldError: the seed is not allowed.
        """
        return self.train_together([seed], on_epoch)[0]

    def train_together(
        self, seeds: Sequence[int], on_epoch: OnEpoch | None = None
    ) -> list[TrainedTrial]:
        """Trains up to `seeds_at_once` seeds side by side; their epochs share their wall times.

        Raises:
            FieldError: a seed is not allowed.
            ValueError: there are more seeds than fit.
        """
        for seed in seeds:
            require_seed(seed)
        if not 0 < len(seeds) <= self.seeds_at_once:
            raise ValueError(f"{len(seeds)} seeds: must be 1 to {self.seeds_at_once} at once")
        # Places that no seed is left for train the last one again, and are not looked at.
        rows = [*seeds, *[seeds[-1]] * (self.seeds_at_once - len(seeds))]
        seeds_R = place(_seeds(self.spec.training, rows), by_seed(self._mesh))
        states: TrainState = self._executables.create(seeds_R)
        self._wait_for_peers(states)
        histories = [_History(self.spec, seed) for seed in seeds]
        for number in range(1, self.spec.training.epochs + 1):
            stopping.check()
            states, records, correct_RN = self._epoch(states, seeds_R, number)
            for history, record in zip(histories, records, strict=False):
                history.add(record, on_epoch)
            if all(history.diverged for history in histories):
                break
        variables = gather(states.variables, self._mesh)
        last_RN = np.asarray(correct_RN)
        return [
            TrainedTrial(
                history.record(last_RN[row]), jax.tree.map(operator.itemgetter(row), variables)
            )
            for row, history in enumerate(histories)
        ]

    def processes_of(self, row: int) -> list[int]:
        """The hosts that train one of the seeds of `train_together`, by JAX's numbers of them.

        Args:
            row: the seed's place there.
        """
        rows = self._mesh.shape[SEED_AXIS]
        devices = self._mesh.devices[row // (self.seeds_at_once // rows)]
        return sorted({device.process_index for device in devices})

    def _wait_for_peers(self, states: TrainState) -> None:
        """On several hosts: until all are about to begin, so that no time holds a wait for one."""
        if not replicated(self._mesh).is_fully_addressable:
            jax.block_until_ready(states)
            multihost_utils.sync_global_devices("first epoch")

    def _epoch(
        self, states: TrainState, seeds_R: Seeds, number: int
    ) -> tuple[TrainState, list[EpochRecord], jax.Array]:
        """Trains and tests once; which test images were right stays on the devices."""
        start = time.perf_counter()
        epoch = place(np.int32(number), replicated(self._mesh))
        states, train_R = self._executables.epoch(states, self._train, seeds_R, epoch)
        jax.block_until_ready((states, train_R))
        trained = time.perf_counter()
        test_R, correct_RN = jax.block_until_ready(
            self._executables.evaluate(states.variables, self._test)
        )
        seconds = (trained - start, time.perf_counter() - trained)
        pairs = zip(_means(train_R), _means(test_R), strict=True)
        records = [EpochRecord(number, *train, *test, *seconds) for train, test in pairs]
        return states, records, correct_RN


@dataclasses.dataclass
class _History:
    """What one seed has gone through."""

    spec: TrialSpec
    seed: int
    diverged: bool = False
    epochs: list[EpochRecord] = dataclasses.field(default_factory=list)

    def add(self, record: EpochRecord, on_epoch: OnEpoch | None) -> None:
        finite = math.isfinite(record.train_loss) and math.isfinite(record.test_loss)
        self.diverged = self.diverged or not finite
        if not self.diverged:
            self.epochs.append(record)
            if on_epoch is not None:
                on_epoch(self.seed, record)

    def record(self, correct_N: NDArray[np.bool_]) -> TrialRecord:
        """The trial, with which test images were right after its last epoch."""
        status: Status = "diverged" if self.diverged else "completed"
        correct = None if self.diverged else Correctness.of(correct_N)
        return TrialRecord(self.spec, self.seed, status, tuple(self.epochs), test_correct=correct)


def fit(
    spec: TrialSpec,
    dataset: Dataset,
    seeds: Iterable[int],
    compute: ComputeOptions | None = None,
    *,
    devices: Sequence[jax.Device] | None = None,
    on_epoch: OnEpoch | None = None,
) -> list[TrainedTrial]:
    """Trains one spec for several seeds; each comes out as if it had been trained alone.

    Args:
        spec: what to train.
        dataset: what `load_dataset` returned.
        seeds: one trial each.
        compute: how to lower, and how many seeds a device trains together.
        devices: where to train; None is JAX's first device.
        on_epoch: called with the seed and the figures of each epoch as it ends.

    Raises:
        InputError: the spec, a seed, the dataset or the lowering is not allowed.
    """
    remaining = list(seeds)
    if not remaining:
        return []
    trainer = Trainer(spec, dataset, compute, devices=devices, num_seeds=len(remaining))
    trials: list[TrainedTrial] = []
    while remaining:
        together, remaining = remaining[: trainer.seeds_at_once], remaining[trainer.seeds_at_once :]
        trials += trainer.train_together(together, on_epoch)
    return trials


def train_config(
    spec: TrialSpec, examples: int, lowering: str = "xla", precision: str = "float32"
) -> TrainConfig:
    """What is fixed while a spec is trained, as the functions of `steps` take it.

    Args:
        spec: what is trained.
        examples: images of the training split.
        lowering: name of the lowering.
        precision: of products of float32 numbers, on accelerators.

    Where the learning rate is constant the number of epochs is no part of them: designs that differ
    in it share one.
    """
    # Which seeds the random numbers come from is an argument of the executables.
    training = spec.training.replace(**dict.fromkeys(SEED_FIELDS))
    steps = training.epochs * -(-spec.data.train_examples(examples) // training.batch_size)
    config = TrainConfig(
        spec.network,
        training,
        lowering,
        steps=steps,
        data=spec.data.drawn,
        precision=precision,
    )
    if not callable(rate_of(training, steps)):
        return config._replace(training=training.replace(epochs=1), steps=0)
    return config


def _seeds(training: TrainingSpec, seeds: Sequence[int]) -> Seeds:
    """Trials' seeds_R by source: a source that has a seed of its own has it in every trial."""
    own = np.array(seeds, np.int32)
    fixed = {name: getattr(training, field) for field, name in SEED_FIELDS.items()}
    apart: dict[str, Any] = {
        name: np.full_like(own, seed) for name, seed in fixed.items() if seed is not None
    }
    return Seeds.of(own)._replace(**apart)


def _shapes(examples: Examples) -> Any:
    return jax.tree.map(
        lambda array: jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=array.sharding),
        examples,
    )


def _means(metrics_R: Metrics) -> list[tuple[float, float]]:
    """Mean loss and accuracy of each seed, divided in double precision on the host."""
    columns = (np.asarray(values_R, np.float64).tolist() for values_R in metrics_R)
    return [(loss / count, correct / count) for loss, correct, count in zip(*columns, strict=True)]


def _require_fit(spec: TrialSpec, dataset: Dataset) -> None:
    if spec.data.image_size not in ((), dataset.image_shape[:2]):
        raise FieldError(
            "image_size", spec.data.image_size, f"the images of {dataset.name} were not resized"
        )
    if spec.data.validation != dataset.validation:
        raise FieldError(
            "validation", spec.data.validation, f"of {dataset.name} {dataset.validation:g} is"
        )
    for name, given, has in (
        ("image_shape", spec.network.image_shape, dataset.image_shape),
        ("classes", spec.network.classes, dataset.num_classes),
    ):
        if given != has:
            raise FieldError(name, given, f"must be {has} for dataset {dataset.name}")
