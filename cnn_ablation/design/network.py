"""The network of a trial: convolution blocks, a hidden layer, the classes."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from cnn_ablation.design.part import Part
from cnn_ablation.errors import FieldError
from cnn_ablation.options import option
from cnn_ablation.options.fields import PER_BLOCK, declared
from cnn_ablation.stages import ACTIVATIONS, NORMS, POOLS, STAGES, Map
from cnn_ablation.stages.geometry import PADDINGS
from cnn_ablation.stages.head import FLATTEN, HEADS
from cnn_ablation.stages.initializers import INITIALIZERS


@dataclasses.dataclass(frozen=True)
class Block:
    """One convolution block's values; `NetworkSpec` says what each means."""

    features: int
    kernel_size: int
    stride: int
    padding: str
    pool: int
    activation: str = "relu"
    norm: str = "none"
    norm_momentum: float = 0.99
    norm_epsilon: float = 1e-3
    pool_kind: str = "max"
    dropout: float = 0.0
    dilation: int = 1
    groups: int = 1
    bias: bool = True
    norm_groups: int = 8
    residual: bool = False


BLOCK_FIELDS = tuple(field.name for field in dataclasses.fields(Block))


class Repeated(tuple[Any, ...]):
    """One value for all blocks, once for each: where the depth changes it is one value again."""


def _per_block(default: Any, help_text: str, **declaration: Any) -> Any:
    return option(default, help_text, shape="per_block", **declaration)


@dataclasses.dataclass(frozen=True, repr=False)
class NetworkSpec(Part):
    """A stack of convolution blocks, a head with hidden Dense layers, Dense to the classes.

    A block is a convolution, a normalization, the sum of a residual connection, an activation,
    pooling and dropout, in this order.
    The fields of blocks take one value or one per block and are kept as one per block, so that
    `stride=2` and `stride=(2, 2)` are the same spec; the number of blocks is the longest's.

    Raises:
        FieldError: a value is not allowed, or a block would leave an empty feature map.
    """

    part: ClassVar[str] = "network"

    features: int | tuple[int, ...] = _per_block(
        (8, 16), "output channels of each convolution", least=1
    )
    kernel_size: int | tuple[int, ...] = _per_block(
        3, "side of the square kernels, in pixels", least=1
    )
    stride: int | tuple[int, ...] = _per_block(1, "step of the convolutions, in pixels", least=1)
    padding: str | tuple[str, ...] = _per_block(
        "valid", "valid (none) or same (zeros)", choices=PADDINGS
    )
    pool: int | tuple[int, ...] = _per_block(
        1, "pooling window and its stride, in pixels; 1 is no pooling", least=1
    )
    hidden: int | tuple[int, ...] = option(
        32,
        "units of the hidden Dense layer, or of several separated by commas, or none",
        least=1,
        shape="several",
        may_be_none=True,
    )
    classes: int = option(10, "number of classes", least=1, flag=False)
    image_shape: tuple[int, int, int] = option(
        (28, 28, 1), "height, width and channels of an image", least=1, shape="several", flag=False
    )
    activation: str | tuple[str, ...] = _per_block(
        "relu",
        "activation of each block; the last one's is the hidden layer's too",
        choices=ACTIVATIONS,
        absent="relu",
    )
    norm: str | tuple[str, ...] = _per_block(
        "none", "normalization before the activation", choices=NORMS, absent="none"
    )
    norm_momentum: float | tuple[float, ...] = _per_block(
        0.99,
        "share of batch norm's running statistics that a step keeps",
        least=0,
        below=1,
        absent=0.99,
    )
    norm_epsilon: float | tuple[float, ...] = _per_block(
        1e-3, "added to the variance in a normalization", above=0, absent=1e-3
    )
    pool_kind: str | tuple[str, ...] = _per_block(
        "max", "what pooling takes of a window", choices=POOLS, absent="max"
    )
    dropout: float | tuple[float, ...] = _per_block(
        0.0, "share of a block's outputs dropped in training", least=0, below=1, absent=0.0
    )
    dilation: int | tuple[int, ...] = _per_block(
        1, "pixels from one tap of a kernel to the next; 1 is a dense kernel", least=1, absent=1
    )
    groups: int | tuple[int, ...] = _per_block(
        1,
        "groups of channels that a convolution keeps apart; as many as input channels is depthwise",
        least=1,
        absent=1,
    )
    bias: bool | tuple[bool, ...] = _per_block(
        True, "whether a convolution has a bias for each output channel", absent=True
    )
    norm_groups: int | tuple[int, ...] = _per_block(
        8, "groups of channels of a group norm", least=1, absent=8
    )
    residual: bool | tuple[bool, ...] = _per_block(
        False, "whether a block's input is added to its map before the activation", absent=False
    )
    head: str = option(FLATTEN, "how the last maps become a vector", choices=HEADS, absent=FLATTEN)
    head_dropout: float = option(
        0.0, "share of the units dropped in front of the logits", least=0, below=1, absent=0.0
    )
    init: str = option(
        "glorot_uniform",
        "how kernels are drawn",
        choices=INITIALIZERS,
        absent="glorot_uniform",
    )
    bias_init: float = option(0.0, "value that biases begin with", absent=0.0)

    def __post_init__(self) -> None:
        for name, its in self.options().items():
            value = getattr(self, name)
            if not isinstance(value, Repeated):
                object.__setattr__(self, name, its.checked(name, value))
        for name, values in _expand(self).items():
            object.__setattr__(self, name, values)
        if isinstance(self.hidden, tuple) and len(self.hidden) == 1:
            object.__setattr__(self, "hidden", self.hidden[0])
        if len(self.image_shape) != 3:
            raise FieldError("image_shape", self.image_shape, "must be height, width and channels")
        self._require_maps()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The convolution blocks, from the image on."""
        columns = (getattr(self, name) for name in BLOCK_FIELDS)
        return tuple(Block(*values) for values in zip(*columns, strict=True))

    @property
    def hidden_layers(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return self.hidden if isinstance(self.hidden, tuple) else (self.hidden,)

    def replace(self, **changes: Any) -> Self:
        """The same with other values in some fields.

        One value for all blocks stays one where the number of blocks changes.

        Raises:
            InputError: there is no such field, or a value is not allowed.
        """
        replaced = super().replace(**changes)
        given = changes.get("features")
        if isinstance(given, (tuple, list)) and len(given) != len(replaced.blocks):
            others = [name for name in BLOCK_FIELDS if _count(getattr(self, name)) > 1]
            longest = next((name for name in others if name not in changes), others[0])
            raise FieldError(
                "features",
                given,
                f"is {len(given)} blocks where {longest} has {_count(getattr(self, longest))} "
                f"values; change {longest} too",
            )
        return replaced

    @classmethod
    def decode(cls, values: Mapping[str, Any]) -> Self:
        """A network from stored values, where every block field is one value per block."""
        known = cls.every_option()
        kept = {name: value for name, value in values.items() if name in known}
        for name, value in kept.items():
            alike = (
                isinstance(value, tuple) and len(value) > 0 and all(v == value[0] for v in value)
            )
            if name in BLOCK_FIELDS and name != "features" and alike:
                kept[name] = value[0]
        return cls(**cls.absent_values() | kept)

    def _require_maps(self) -> None:
        before = Map.of_image(self.image_shape)
        for number, block in enumerate(self.blocks, start=1):
            seen = before
            for stage in STAGES:
                misfit = stage.misfit(block, number, seen, before)
                if misfit is not None:
                    field, allowed = misfit
                    raise FieldError(field, getattr(self, field), allowed)
                before = stage.after(block, before)


def _count(value: Any) -> int:
    return 1 if isinstance(value, Repeated) or not isinstance(value, tuple) else len(value)


def _expand(network: NetworkSpec) -> dict[str, tuple[Any, ...]]:
    """The block fields, one value per block each."""
    given: dict[str, tuple[Any, ...]] = {}
    for name in BLOCK_FIELDS:
        value = getattr(network, name)
        values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
        given[name] = values[:1] if isinstance(value, Repeated) else values
    count = max(map(len, given.values()))
    longest = next(name for name, values in given.items() if len(values) == count)
    for name, values in given.items():
        if len(values) not in (1, count):
            raise FieldError(
                name,
                values,
                f"has {len(values)} values where {longest} has {count}; must be {PER_BLOCK}",
            )
    # A single value of a network of several blocks is one value for all of them.
    return {
        name: Repeated(values * count) if len(values) == 1 else values
        for name, values in given.items()
    }


_DECLARED = {name for name, its in declared(NetworkSpec).items() if its.shape == "per_block"}
assert set(BLOCK_FIELDS) == _DECLARED, "Block and NetworkSpec must have the same block fields"
