"""How a block is lowered for a platform: as XLA's operations, matrix products, or C++ kernels.

A lowering computes a whole block in one go where it knows how. It names the fields of a block that
it knows; a field that it does not know must be at the value that stands for the field's absence,
so that a lowering stays right when blocks gain a field. What it does not support is computed stage
by stage (`network.block`), its convolution by the lowering where that can.
"""

import dataclasses
import functools
import sys
from collections.abc import Callable, Iterable

import jax

from cnn_ablation.design import BLOCK_FIELDS, Block, NetworkSpec
from cnn_ablation.errors import InputError
from cnn_ablation.network.lowerings import banded, xla
from cnn_ablation.network.lowerings.native import calls as native
from cnn_ablation.stages import convolution

# A bias that a block leaves out is one of zeros to `block`, and none of a convolution's concern.
GEOMETRY = frozenset({"features", "kernel_size", "stride", "padding", "bias"})
LOWERINGS: tuple[str, ...] = ("auto", "native", "xla", "banded")
_OPTIONS = NetworkSpec.every_option()
Convolution = Callable[[jax.Array, jax.Array, Block], jax.Array]
FusedBlock = Callable[[jax.Array, jax.Array, jax.Array, Block], jax.Array]
Dense = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


@dataclasses.dataclass(frozen=True)
class Lowering:
    """One way to compute the layers of a network.

    Attributes:
        name: `native`, `xla` or `banded`.
        block: convolution, max-pool, bias and ReLU in one: (images_BHWC, kernel_HWIO, bias_O,
            block) to (B, H', W', O).
        block_fields: the fields of a block that `block` knows.
        convolution: the convolution alone: (images_BHWC, kernel_HWIO, block) to (B, H', W', O).
        convolution_fields: the fields that change a convolution and that `convolution` knows.
        any_convolution: the convolution with whatever other fields.
        dense: a Dense layer with ReLU: (features_BD, kernel_DO, bias_O) to (B, O).
    """

    name: str
    block: FusedBlock
    block_fields: frozenset[str]
    convolution: Convolution
    convolution_fields: frozenset[str]
    any_convolution: Convolution
    dense: Dense

    def unsupported(self, block: Block) -> tuple[str, ...]:
        """The fields that keep `block` from computing a block, in the order of the spec."""
        return _unknown(block, self.block_fields)

    def convolve(self, images_BHWC: jax.Array, kernel_HWIO: jax.Array, block: Block) -> jax.Array:
        """A block's convolution without bias, by the quickest way that is right for it."""
        unknown = set(_unknown(block, self.convolution_fields)).intersection(convolution.FIELDS)
        convolve = self.any_convolution if unknown else self.convolution
        return convolve(images_BHWC, kernel_HWIO, block)


def _unknown(block: Block, known: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        name
        for name in BLOCK_FIELDS
        if name not in known and getattr(block, name) != _OPTIONS[name].absent
    )


def _plain_dense(features_BD: jax.Array, kernel_DO: jax.Array, bias_O: jax.Array) -> jax.Array:
    return jax.nn.relu(features_BD @ kernel_DO + bias_O)


_BY_NAME = {
    "xla": Lowering(
        name="xla",
        block=xla.conv_block,
        block_fields=GEOMETRY | {"pool"},
        convolution=convolution.convolve,
        convolution_fields=GEOMETRY,
        any_convolution=convolution.convolve,
        dense=_plain_dense,
    ),
    "banded": Lowering(
        name="banded",
        block=banded.conv_block,
        block_fields=GEOMETRY | {"pool"},
        convolution=banded.convolve,
        convolution_fields=GEOMETRY,
        any_convolution=convolution.convolve_by_products,
        dense=_plain_dense,
    ),
    "native": Lowering(
        name="native",
        block=native.block,
        block_fields=GEOMETRY | {"pool"},
        convolution=banded.convolve,
        convolution_fields=GEOMETRY,
        any_convolution=convolution.convolve_by_products,
        dense=native.dense,
    ),
}


def lowering_of(name: str) -> Lowering:
    """The lowering that `choose_lowering` named."""
    return _BY_NAME[name]


def choose_lowering(name: str, platform: str) -> str:
    """The lowering that a platform runs.

    Args:
        name: one of `LOWERINGS`, as given with `--conv`.
        platform: JAX's name of the platform: "cpu", "gpu" or "tpu".

    Returns:
        "native", "xla" or "banded".

    Raises:
        InputError: `name` is none of `LOWERINGS`, or "native" was asked for where it cannot be had.
    """
    if name not in LOWERINGS:
        raise InputError(f"--conv={name}: must be one of {', '.join(LOWERINGS)}")
    if name == "native" and platform != "cpu":
        raise InputError(f"--conv=native: has kernels for the cpu alone, not for {platform}")
    if name == "auto" and platform != "cpu":
        return "xla"
    if name not in ("auto", "native"):
        return name
    reason = native.unavailable()
    if reason is None:
        return "native"
    if name == "native":
        raise InputError(f"--conv=native: cannot be had here, use auto, xla or banded: {reason}")
    _notice(f"cnn_ablation: using --conv=banded, slower than native kernels: {reason}")
    return "banded"


def announce_fallbacks(networks: Iterable[NetworkSpec], name: str) -> None:
    """Says once of each field that it is computed without the native kernels, and so slower."""
    if name != "native":
        return
    lowering = lowering_of(name)
    fields = {
        field: None for n in networks for block in n.blocks for field in lowering.unsupported(block)
    }
    for field in fields:
        _notice(
            f"cnn_ablation: {field} is not in the native kernels yet: blocks with it are computed "
            "by plain JAX, slower"
        )


@functools.cache
def _notice(line: str) -> None:
    """Prints a line once in the life of the process."""
    print(line, file=sys.stderr, flush=True)
