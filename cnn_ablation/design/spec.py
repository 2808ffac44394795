"""What a trial is: frozen, validated, hashable specs. Every default of the project stands here.

A spec names its choices in the words of the command line: each field with a `help` text becomes
a flag of the same name (see `flags.py`).
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Self

from cnn_ablation.errors import FieldError, InputError
from cnn_ablation.stages.geometry import PADDINGS, conv_output_size, pool_output_size

DTYPES = ("float32", "bfloat16")
MAX_SEED = 2**31 - 1

_ONE_OR_PER_BLOCK = "one value for all blocks, or one per block separated by commas"


def _option(default: Any, help_text: str) -> Any:
    """A field that users set by a flag of the same name."""
    return dataclasses.field(default=default, metadata={"help": help_text})


def _per_block(default: Any, help_text: str) -> Any:
    """As `_option`, for a field that takes one value for all blocks or one per block."""
    text = f"{help_text}; {_ONE_OR_PER_BLOCK}"
    return dataclasses.field(default=default, metadata={"help": text, "per_block": True})


@dataclasses.dataclass(frozen=True)
class Block:
    """One convolution block: convolution, optional max-pool, bias, ReLU.

    Attributes:
        features: number of output channels.
        kernel_size: side of the square kernel, in pixels.
        stride: step of the convolution, in pixels.
        padding: `valid` or `same`.
        pool: side and stride of the max-pool window; 1 is no pooling.
    """

    features: int
    kernel_size: int
    stride: int
    padding: str
    pool: int

    def conv_size(self, size: int) -> int:
        """Side of the map after the convolution, from the side before it."""
        return conv_output_size(size, self.kernel_size, self.stride, self.padding)

    def output_size(self, size: int) -> int:
        """Side of the map after convolution and pooling, from the side before the block."""
        return pool_output_size(self.conv_size(size), self.pool)


BLOCK_FIELDS = tuple(field.name for field in dataclasses.fields(Block))


@dataclasses.dataclass(frozen=True)
class NetworkSpec:
    """A stack of convolution blocks, flatten, a hidden Dense layer with ReLU, Dense to classes.

    The five block fields take one value or one per block and are kept as one per block, so that
    `stride=2` and `stride=(2, 2)` are the same spec.

    Raises:
        FieldError: a value is not allowed, or a block would leave an empty feature map.
    """

    features: int | tuple[int, ...] = _per_block((8, 16), "output channels of each convolution")
    kernel_size: int | tuple[int, ...] = _per_block(3, "side of the square kernels, in pixels")
    stride: int | tuple[int, ...] = _per_block(1, "step of the convolutions, in pixels")
    padding: str | tuple[str, ...] = _per_block("valid", "valid (none) or same (zeros)")
    pool: int | tuple[int, ...] = _per_block(1, "max-pool window and stride; 1 is no pooling")
    hidden: int = _option(32, "units of the hidden Dense layer")
    classes: int = 10
    image_shape: tuple[int, int, int] = (28, 28, 1)

    def __post_init__(self) -> None:
        for name, values in _expand(self).items():
            object.__setattr__(self, name, values)
        object.__setattr__(self, "image_shape", tuple(self.image_shape))
        for name in ("features", "kernel_size", "stride", "pool", "image_shape"):
            _require_counts(name, getattr(self, name))
        for value in self.padding:
            _require_choice("padding", value, PADDINGS)
        _require_counts("hidden", (self.hidden,))
        _require_counts("classes", (self.classes,))
        self._require_maps()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The convolution blocks, from the image on."""
        columns = (getattr(self, name) for name in BLOCK_FIELDS)
        return tuple(Block(*values) for values in zip(*columns, strict=True))

    def _require_maps(self) -> None:
        height, width, _ = self.image_shape
        for number, block in enumerate(self.blocks, start=1):
            sees, side = f"block {number} sees a {height}x{width} map", min(height, width)
            if block.conv_size(side) < 1:
                kernel = f"{block.kernel_size}x{block.kernel_size} {block.padding} kernel"
                raise FieldError(
                    "kernel_size",
                    self.kernel_size,
                    f"{sees}, into which its {kernel} does not fit; allowed here: 1 to {side}",
                )
            if block.output_size(side) < 1:
                most = block.conv_size(side)
                raise FieldError(
                    "pool",
                    self.pool,
                    f"{sees}, of which its convolution leaves {most} and its pool window "
                    f"{block.pool} nothing; allowed here: 1 to {most}",
                )
            height, width = block.output_size(height), block.output_size(width)


@dataclasses.dataclass(frozen=True)
class TrainingSpec:
    """The training procedure: the notebook's, but for the learning rate.

    Keras's default Adadelta rate of 0.001, at which the notebook ran, barely begins to train in
    2 epochs; 1.0 is the scale of the method's own paper (Zeiler 2012, arXiv 1212.5701).

    Raises:
        FieldError: a value is not allowed.
    """

    epochs: int = _option(2, "passes over the training images")
    batch_size: int = _option(128, "images per step; the last batch of an epoch may be smaller")
    learning_rate: float = _option(
        1.0,
        "Adadelta's learning rate: 1.0, its own scale, trains in 2 epochs; the notebook ran at "
        "Keras's default of 0.001, at which they barely begin",
    )
    rho: float = _option(0.95, "Adadelta's decay of its running averages")
    epsilon: float = _option(1e-7, "Adadelta's epsilon, added under both roots")
    dtype: str = _option("float32", f"number format of the computation: {' or '.join(DTYPES)}")

    def __post_init__(self) -> None:
        _require_counts("epochs", (self.epochs,))
        _require_counts("batch_size", (self.batch_size,))
        _require_positive("learning_rate", self.learning_rate)
        _require_positive("epsilon", self.epsilon)
        if not (_is_real(self.rho) and 0 <= self.rho < 1):
            raise FieldError("rho", self.rho, "must be a number from 0 to below 1")
        for name in ("learning_rate", "rho", "epsilon"):
            object.__setattr__(self, name, float(getattr(self, name)))
        _require_choice("dtype", self.dtype, DTYPES)


@dataclasses.dataclass(frozen=True)
class DataSpec:
    """Which images are trained and tested on, in TFDS's names and split syntax."""

    dataset: str = _option("mnist", "mnist, fashion_mnist, kmnist or any that TFDS has prepared")
    train_split: str = _option("train", "training images, in TFDS split syntax: train[:10%]")
    test_split: str = _option("test", "test images, in TFDS split syntax")


@dataclasses.dataclass(frozen=True)
class TrialSpec:
    """All that decides a trial but its seed: network, training and data."""

    network: NetworkSpec = dataclasses.field(default_factory=NetworkSpec)
    training: TrainingSpec = dataclasses.field(default_factory=TrainingSpec)
    data: DataSpec = dataclasses.field(default_factory=DataSpec)

    def to_json(self) -> dict[str, Any]:
        """The spec as nested dictionaries of JSON values."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote.

        Raises:
            InputError: a part or a field is missing or unknown, or a value is not allowed.
        """
        parts = {"network": NetworkSpec, "training": TrainingSpec, "data": DataSpec}
        if set(document) != set(parts):
            raise InputError(f"spec has parts {sorted(document)}: must have {sorted(parts)}")
        return cls(**{name: _from_json(part, document[name]) for name, part in parts.items()})

    def trial_id(self, seed: int, dataset_version: str) -> str:
        """Content hash that names one trial: 16 hexadecimal digits."""
        content = {"spec": self.to_json(), "seed": seed, "dataset_version": dataset_version}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def require_seed(seed: Any) -> None:
    """Refuses what is no seed.

    Raises:
        FieldError: not a whole number from 0 to `MAX_SEED`.
    """
    if not (type(seed) is int and 0 <= seed <= MAX_SEED):
        raise FieldError("seed", seed, f"must be a whole number from 0 to {MAX_SEED}")


def _from_json(part: type, document: Mapping[str, Any]) -> Any:
    names = {field.name for field in dataclasses.fields(part)}
    if set(document) != names:
        odd = sorted(set(document) ^ names)
        raise InputError(f"{part.__name__} fields missing or unknown: {', '.join(odd)}")
    return part(**{k: tuple(v) if isinstance(v, list) else v for k, v in document.items()})


def _expand(network: NetworkSpec) -> dict[str, tuple[Any, ...]]:
    """The block fields, one value per block each."""
    given: dict[str, tuple[Any, ...]] = {}
    for name in BLOCK_FIELDS:
        value = getattr(network, name)
        given[name] = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    count = max(len(values) for values in given.values())
    longest = next(name for name, values in given.items() if len(values) == count)
    for name, values in given.items():
        if len(values) not in (1, count):
            raise FieldError(
                name,
                values,
                f"has {len(values)} values where {longest} has {count}; "
                f"must be {_ONE_OR_PER_BLOCK}",
            )
    return {name: v * count if len(v) == 1 else v for name, v in given.items()}


def _require_counts(name: str, values: tuple[Any, ...]) -> None:
    if not values or any(type(value) is not int or value < 1 for value in values):
        shown = values[0] if len(values) == 1 else values
        raise FieldError(name, shown, "must be a whole number of 1 or more")


def _require_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise FieldError(name, value, f"must be {' or '.join(choices)}")


def _require_positive(name: str, value: Any) -> None:
    if not (_is_real(value) and value > 0):
        raise FieldError(name, value, "must be a number above 0")


def _is_real(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
