"""The block as our own C++ kernels on the CPU, called by XLA; the sources lie beside this file."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp

from cnn_ablation.design import Block
from cnn_ablation.network.lowerings.native.kept import RELU, Finish, finish_of
from cnn_ablation.network.lowerings.native.targets import call, unavailable
from cnn_ablation.stages.convolution import reach
from cnn_ablation.stages.geometry import conv_output_size, pad_before

__all__ = ["block", "conv_block", "convolve", "dense", "unavailable"]

# Features of a group below which groups are computed together: the lanes of the widest vectors.
_WORTH_A_CALL = 16


@dataclasses.dataclass(frozen=True)
class _Geometry:
    stride: int
    dilation: int
    pad_top: int
    pad_left: int
    out_height: int
    out_width: int
    finish: Finish
    direct: bool

    @property
    def options(self) -> dict[str, int]:
        names = ("stride", "dilation", "pad_top", "pad_left", "direct")
        return {name: int(getattr(self, name)) for name in names} | self.finish.options


def conv_block(
    images_BHWC: jax.Array,
    kernel_HWIO: jax.Array,
    bias_O: jax.Array,
    *,
    stride: int = 1,
    padding: str = "valid",
    dilation: int = 1,
    finish: Finish = RELU,
    direct: bool = False,
) -> jax.Array:
    """Convolution, bias, activation and pooling; see `cnn_ablation.network.lowerings.Lowering`.

    Computes in float32 whatever the type of the images, which is also that of the result. XLA does
    not split a custom call: arrays sharded over a mesh are gathered first, unless the caller wraps
    the step in `jax.shard_map` (with `check_vma=False`, for calls into C++ have no rule for it).

    Args:
        images_BHWC: images.
        kernel_HWIO: kernel.
        bias_O: bias.
        stride: between columns, and rows.
        padding: `valid` or `same`.
        dilation: between taps.
        finish: activation and pooling.
        direct: never multiply by Winograd's way, which is quicker and rounds more
            (docs/kernels.md).

    Raises:
        ValueError: The shapes do not fit one another.
        BuildError: The kernels cannot be had; ask `unavailable` first.
    """
    height, width = images_BHWC.shape[1:3]
    kernel_height, kernel_width, channels, features = kernel_HWIO.shape
    if images_BHWC.shape[3] != channels or bias_O.shape != (features,):
        shapes = f"{images_BHWC.shape}, {kernel_HWIO.shape}, {bias_O.shape}"
        raise ValueError(f"images, kernel and bias do not fit: {shapes}")
    rows, columns = reach(kernel_height, dilation), reach(kernel_width, dilation)
    geometry = _Geometry(
        stride,
        dilation,
        pad_before(height, rows, stride, padding),
        pad_before(width, columns, stride, padding),
        conv_output_size(height, rows, stride, padding) // finish.pool,
        conv_output_size(width, columns, stride, padding) // finish.pool,
        finish,
        direct,
    )
    if min(geometry.out_height, geometry.out_width) < 1:
        raise ValueError(f"kernel and pool do not fit into images of {height} x {width}")
    arrays = (array.astype(jnp.float32) for array in (images_BHWC, kernel_HWIO, bias_O))
    return _block(geometry, *arrays).astype(images_BHWC.dtype)


def block(
    images_BHWC: jax.Array,
    kernel_HWIO: jax.Array,
    bias_O: jax.Array,
    block: Block,
    *,
    direct: bool = False,
) -> jax.Array:
    """`conv_block` of a spec's block, whose groups share the channels."""
    return _in_groups(images_BHWC, kernel_HWIO, bias_O, block, finish_of(block), direct)


def convolve(
    images_BHWC: jax.Array,
    kernel_HWIO: jax.Array,
    bias_O: jax.Array,
    block: Block,
    *,
    direct: bool = False,
) -> jax.Array:
    """A block's convolution and bias alone."""
    return _in_groups(images_BHWC, kernel_HWIO, bias_O, block, Finish("none"), direct)


def dense(
    features_BD: jax.Array, kernel_DO: jax.Array, bias_O: jax.Array, activation: str = "relu"
) -> jax.Array:
    """A Dense layer with its activation: the block whose kernel covers the whole image.

    On the CPU a wide one takes XLA longer than the convolutions before it take these kernels.
    """
    pixels, kernel = features_BD[:, None, None, :], kernel_DO[None, None]
    return conv_block(pixels, kernel, bias_O, finish=Finish(activation))[:, 0, 0]


def _in_groups(
    images_BHWC: jax.Array,
    kernel_HWIO: jax.Array,
    bias_O: jax.Array,
    block: Block,
    finish: Finish,
    direct: bool,
) -> jax.Array:
    """Groups of channels, a call for as many together as fill a vector."""
    together = _groups_together(block.groups, block.features // block.groups)
    parts = block.groups // together
    kernel_HWIO = _without_groups(kernel_HWIO, block.groups, together)
    maps = [
        conv_block(
            images_HWC,
            kernel,
            bias,
            stride=block.stride,
            padding=block.padding,
            dilation=block.dilation,
            finish=finish,
            direct=direct,
        )
        for images_HWC, kernel, bias in zip(
            jnp.split(images_BHWC, parts, axis=-1),
            jnp.split(kernel_HWIO, parts, axis=-1),
            jnp.split(bias_O, parts),
            strict=True,
        )
    ]
    return maps[0] if parts == 1 else jnp.concatenate(maps, axis=-1)


def _groups_together(groups: int, features: int) -> int:
    """The least divisor of `groups` whose groups have enough features, or all of them."""
    divisors = (n for n in range(1, groups + 1) if groups % n == 0)
    return next((n for n in divisors if n * features >= _WORTH_A_CALL), groups)


def _without_groups(kernel_HWIO: jax.Array, groups: int, together: int) -> jax.Array:
    """The kernel of `together` groups at a time as one without groups: zeros between groups."""
    if together == 1:
        return kernel_HWIO
    height, width, inputs, outputs = kernel_HWIO.shape
    grouped = kernel_HWIO.reshape(height, width, inputs, groups // together, together, -1)
    # Products of zeros and ones would make a NaN of an infinite weight.
    own = jnp.eye(together, dtype=bool)[:, None, None, :, None]
    whole = jnp.where(own, grouped[:, :, None], 0)
    return whole.reshape(height, width, together * inputs, outputs)


def _forward(geometry: _Geometry, keep: bool, *operands: jax.Array) -> list[Any]:
    """The outputs and, where they are to be kept, what the gradients will need."""
    images_BHWC, _, bias_O = operands
    shape = (len(images_BHWC), geometry.out_height, geometry.out_width, len(bias_O))
    kept = geometry.finish.kept(shape) if keep else []
    results = [jax.ShapeDtypeStruct(shape, jnp.float32), *kept]
    return call("Forward", results, operands, geometry.options)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _block(
    geometry: _Geometry, images_BHWC: jax.Array, kernel_HWIO: jax.Array, bias_O: jax.Array
) -> Any:
    return _forward(geometry, False, images_BHWC, kernel_HWIO, bias_O)[0]


def _block_forward(
    geometry: _Geometry, images: Any, kernel: Any, bias: Any
) -> tuple[jax.Array, Any]:
    images_BHWC, kernel_HWIO, bias_O = images.value, kernel.value, bias.value
    outputs, *kept = _forward(geometry, True, images_BHWC, kernel_HWIO, bias_O)
    if geometry.finish.outputs_tell:
        kept = [outputs]
    # The gradient at a dataset's images would cost as much as the rest, and nobody asks for it.
    # What is kept tells so by its structure, since it may hold arrays alone.
    images_wanted = () if images.perturbed else None
    return outputs, (images_BHWC, kernel_HWIO, bias_O, kept, images_wanted)


def _block_backward(
    geometry: _Geometry, residuals: Any, out_gradients: Any
) -> tuple[jax.Array | None, jax.Array | None, jax.Array | None]:
    if isinstance(out_gradients, jax.custom_derivatives.SymbolicZero):
        return None, None, None
    images_BHWC, kernel_HWIO, bias_O, kept, asked = residuals
    images_wanted = asked is not None
    wanted = [kernel_HWIO, bias_O, *([images_BHWC] if images_wanted else [])]
    results = [jax.ShapeDtypeStruct(array.shape, jnp.float32) for array in wanted]
    operands = (images_BHWC, kernel_HWIO, out_gradients, *kept)
    gradients = call("Backward", results, operands, geometry.options)
    return (gradients[2] if images_wanted else None), gradients[0], gradients[1]


_block.defvjp(_block_forward, _block_backward, symbolic_zeros=True)
