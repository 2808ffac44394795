"""How a block is lowered for a platform: as XLA's operations, matrix products, or C++ kernels.

A lowering computes a whole block in one go where it knows how. It names the fields of a block that
it knows; a field that it does not know must be at the value that stands for the field's absence,
so that a lowering stays right when blocks gain a field. What it does not support is computed stage
by stage (`network.block`), its convolution and what follows by the lowering where that can.
"""

import dataclasses
import functools
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import jax

from cnn_ablation.design import BLOCK_FIELDS, Block, NetworkSpec
from cnn_ablation.errors import InputError
from cnn_ablation.network.lowerings import banded, plain, xla
from cnn_ablation.network.lowerings.native import calls as native
from cnn_ablation.network.lowerings.native import examples, kept, maps, optimizers
from cnn_ablation.optimizers import Optimizer
from cnn_ablation.stages import activation, convolution, normalization, pooling

if TYPE_CHECKING:
    import optax

# A bias that a block leaves out is one of zeros to `block`, and none of a convolution's concern.
# Dropout comes after all that a lowering computes.
GEOMETRY = frozenset({"features", "kernel_size", "stride", "padding", "bias", "dropout"})
LOWERINGS: tuple[str, ...] = ("auto", "native", "direct", "xla", "banded")
# Those whose kernels are ours, in C++.
NATIVE = ("native", "direct")
_OPTIONS = NetworkSpec.every_option()
Convolution = Callable[[jax.Array, jax.Array, jax.Array, Block], jax.Array]
Dense = Callable[[jax.Array, jax.Array, jax.Array, str], jax.Array]
MaybeArray = jax.Array | None
Finish = Callable[[jax.Array, MaybeArray, MaybeArray, MaybeArray, Block], jax.Array]
# The choices of these fields that kernels of ours compute; users may have registered others.
NATIVE_CHOICES = {"activation": kept.ACTIVATIONS, "pool_kind": kept.POOLS}


@dataclasses.dataclass(frozen=True)
class Lowering:
    """One way to compute the layers of a network.

    Attributes:
        name: `native`, `direct`, `xla` or `banded`.
        block: convolution, bias, activation and pooling in one: (images_BHWC, kernel_HWIO, bias_O,
            block) to (B, H', W', O).
        block_fields: the fields of a block that `block` knows.
        convolution: convolution and bias: (images_BHWC, kernel_HWIO, bias_O, block) to
            (B, H', W', O).
        convolution_fields: the fields that change a convolution and that `convolution` knows.
        any_convolution: the convolution with whatever other fields.
        dense: a Dense layer: (features_BD, kernel_DO, bias_O, activation) to (B, O).
        finish: what follows a convolution: (x_BHWC, scale, offset, shortcut_BHWC, block) to the
            map scaled, offset, with the shortcut added, activated and pooled. Scale and offset are
            (B, C) or (1, C); each of the three may be None.
        moments: each image's mean and sum of squared deviations by channel: x_BHWC to two (B, C).
        normalize_channels: every position normalized over its channels: (x_BHWC, epsilon) to
            (B, H, W, C).
        gather: some of a split's images, their pixels scaled to 0..1: (images_NHWC, indices_B) to
            (B, H, W, C).
        permutation: a random order of so many examples: (key, N) to (N,), that of
            `jax.random.permutation`.
        optimizer: an optimizer at a rate, a number or a function of the step, as Optax's.
        choices: of some fields, the values that `block`, `dense` and `finish` know; others are
            computed by plain JAX.
    """

    name: str
    block: Convolution
    block_fields: frozenset[str]
    convolution: Convolution
    convolution_fields: frozenset[str]
    any_convolution: Convolution
    dense: Dense = plain.dense
    finish: Finish = plain.finish
    moments: Callable[[jax.Array], normalization.Moments] = normalization.moments
    normalize_channels: Callable[[jax.Array, float], jax.Array] = normalization.layer_norm
    gather: Callable[[jax.Array, jax.Array], jax.Array] = plain.gather
    permutation: Callable[[jax.Array, int], jax.Array] = jax.random.permutation
    optimizer: Callable[[Optimizer, Any], "optax.GradientTransformation"] = plain.optimizer
    choices: Mapping[str, Collection[str]] = dataclasses.field(default_factory=dict, hash=False)

    def unsupported(self, block: Block) -> tuple[str, ...]:
        """The fields that keep `block` from computing a block, in the order of the spec."""
        unknown = {*_unknown(block, self.block_fields), *self.unknown_choices(block)}
        return tuple(name for name in BLOCK_FIELDS if name in unknown)

    def unknown_choices(self, block: Block) -> tuple[str, ...]:
        """The fields whose value in a block is none of the lowering's `choices`."""
        return tuple(n for n, known in self.choices.items() if getattr(block, n) not in known)

    def convolution_of(self, block: Block) -> Convolution:
        """A block's convolution and bias, by the quickest way that is right for it."""
        unknown = set(_unknown(block, self.convolution_fields)).intersection(convolution.FIELDS)
        return self.any_convolution if unknown else self.convolution

    def finish_of(self, block: Block) -> Finish:
        """`finish`, or plain JAX where the block has a choice that `finish` does not know."""
        return plain.finish if self.unknown_choices(block) else self.finish

    def dense_of(self, name: str) -> Dense:
        """`dense`, or plain JAX for an activation that `dense` does not know."""
        known = name in self.choices.get("activation", (name,))
        return self.dense if known else plain.dense


def _unknown(block: Block, known: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        name
        for name in BLOCK_FIELDS
        if name not in known and getattr(block, name) != _OPTIONS[name].absent
    )


_BY_NAME = {
    "xla": Lowering(
        name="xla",
        block=xla.conv_block,
        block_fields=GEOMETRY | {"pool"},
        convolution=plain.with_bias(convolution.convolve),
        convolution_fields=GEOMETRY,
        any_convolution=plain.with_bias(convolution.convolve),
    ),
    "banded": Lowering(
        name="banded",
        block=banded.conv_block,
        block_fields=GEOMETRY | {"pool"},
        convolution=plain.with_bias(banded.convolve),
        convolution_fields=GEOMETRY,
        any_convolution=plain.with_bias(convolution.convolve_by_products),
    ),
    "native": Lowering(
        name="native",
        block=native.block,
        block_fields=GEOMETRY.union(convolution.FIELDS, activation.FIELDS, pooling.FIELDS),
        convolution=native.convolve,
        convolution_fields=GEOMETRY.union(convolution.FIELDS),
        any_convolution=plain.with_bias(convolution.convolve_by_products),
        dense=native.dense,
        finish=maps.finish,
        moments=maps.moments,
        normalize_channels=maps.normalize_channels,
        gather=examples.gather,
        permutation=examples.permutation,
        optimizer=optimizers.optimizer,
        choices=NATIVE_CHOICES,
    ),
}
# The same kernels, that never multiply by Winograd's way.
_BY_NAME["direct"] = dataclasses.replace(
    _BY_NAME["native"],
    name="direct",
    block=functools.partial(native.block, direct=True),
    convolution=functools.partial(native.convolve, direct=True),
)


def lowering_of(name: str) -> Lowering:
    """The lowering that `choose_lowering` named."""
    return _BY_NAME[name]


def choose_lowering(name: str, platform: str) -> str:
    """The lowering that a platform runs.

    Args:
        name: one of `LOWERINGS`, as given with `--conv`.
        platform: JAX's name of the platform: "cpu", "gpu" or "tpu".

    Returns:
        "native", "direct", "xla" or "banded".

    Raises:
        InputError: `name` is none of `LOWERINGS`, or our kernels cannot be had where they were
            asked for.
    """
    if name not in LOWERINGS:
        raise InputError(f"--conv={name}: must be one of {', '.join(LOWERINGS)}")
    if name in NATIVE and platform != "cpu":
        raise InputError(f"--conv={name}: has kernels for the cpu alone, not for {platform}")
    if name == "auto" and platform != "cpu":
        return "xla"
    if name not in ("auto", *NATIVE):
        return name
    reason = native.unavailable()
    if reason is None:
        return "native" if name == "auto" else name
    if name in NATIVE:
        raise InputError(f"--conv={name}: cannot be had here, use auto, xla or banded: {reason}")
    _notice(f"cnn_ablation: using --conv=banded, slower than native kernels: {reason}")
    return "banded"


def announce_fallbacks(networks: Iterable[NetworkSpec], name: str) -> None:
    """Says once of each choice that it is computed without the native kernels, and so slower."""
    if name not in NATIVE:
        return
    lowering = lowering_of(name)
    choices = {
        f"{field}={getattr(block, field)}": None
        for network in networks
        for block in network.blocks
        for field in lowering.unknown_choices(block)
    }
    for choice in choices:
        _notice(
            f"cnn_ablation: {choice} is not in the native kernels: blocks with it are computed by "
            "plain JAX in part, slower"
        )


@functools.cache
def _notice(line: str) -> None:
    """Prints a line once in the life of the process."""
    print(line, file=sys.stderr, flush=True)
