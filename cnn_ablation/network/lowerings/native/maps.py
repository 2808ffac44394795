"""What norms, shortcuts, activations and pooling do to a map, by the kernels."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from cnn_ablation.design import Block
from cnn_ablation.network.lowerings.native.kept import Finish, finish_of
from cnn_ablation.network.lowerings.native.targets import call


def finish(
    x_BHWC: jax.Array,
    scale: jax.Array | None,
    offset: jax.Array | None,
    shortcut_BHWC: jax.Array | None,
    block: Block,
) -> jax.Array:
    """A map scaled, offset and added to, activated and pooled; see `lowerings.Lowering.finish`."""
    shape = (x_BHWC.shape[0], x_BHWC.shape[-1])
    scale_BC = jnp.ones(shape) if scale is None else jnp.broadcast_to(scale, shape)
    offset_BC = jnp.zeros(shape) if offset is None else jnp.broadcast_to(offset, shape)
    shortcut = None if shortcut_BHWC is None else shortcut_BHWC.astype(jnp.float32)
    full, of = x_BHWC.astype(jnp.float32), finish_of(block)
    return _finish(of, full, scale_BC, offset_BC, shortcut).astype(x_BHWC.dtype)


def moments(x_BHWC: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Each image's means, and sums of squared deviations from them, by channel."""
    means_BC, squares_BC = _moments(x_BHWC)
    return means_BC, squares_BC


def normalize_channels(x_BHWC: jax.Array, epsilon: float) -> jax.Array:
    """Each pixel less its mean over the channels, over the root of variance and epsilon."""
    return _normalize(epsilon, x_BHWC)


def _like(*arrays: jax.Array) -> list[jax.ShapeDtypeStruct]:
    return [jax.ShapeDtypeStruct(array.shape, jnp.float32) for array in arrays]


def _finished(finish: Finish, keep: bool, *operands: jax.Array | None) -> list[Any]:
    x_BHWC = operands[0]
    assert x_BHWC is not None
    batch, height, width, channels = x_BHWC.shape
    shape = (batch, height // finish.pool, width // finish.pool, channels)
    kept = finish.kept(shape) if keep else []
    results = [jax.ShapeDtypeStruct(shape, jnp.float32), *kept]
    there = [operand for operand in operands if operand is not None]
    return call("AffineForward", results, there, finish.options)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _finish(
    finish: Finish,
    x_BHWC: jax.Array,
    scale_BC: jax.Array,
    offset_BC: jax.Array,
    shortcut_BHWC: jax.Array | None,
) -> Any:
    return _finished(finish, False, x_BHWC, scale_BC, offset_BC, shortcut_BHWC)[0]


def _finish_forward(
    finish: Finish,
    x_BHWC: jax.Array,
    scale_BC: jax.Array,
    offset_BC: jax.Array,
    shortcut_BHWC: jax.Array | None,
) -> tuple[jax.Array, Any]:
    outputs, *kept = _finished(finish, True, x_BHWC, scale_BC, offset_BC, shortcut_BHWC)
    if finish.outputs_tell:
        kept = [outputs]
    asked = None if shortcut_BHWC is None else ()
    return outputs, (x_BHWC, scale_BC, kept, asked)


def _finish_backward(finish: Finish, residuals: Any, out_gradients: jax.Array) -> tuple[Any, ...]:
    x_BHWC, scale_BC, kept, asked = residuals
    gradients, scales, offsets = call(
        "AffineBackward",
        _like(x_BHWC, scale_BC, scale_BC),
        (x_BHWC, out_gradients, *kept),
        finish.options,
    )
    at_map = gradients * scale_BC[:, None, None]
    return at_map, scales, offsets, None if asked is None else gradients


_finish.defvjp(_finish_forward, _finish_backward)


@jax.custom_vjp
def _moments(x_BHWC: jax.Array) -> Any:
    batch, _, _, channels = x_BHWC.shape
    shape = jax.ShapeDtypeStruct((batch, channels), jnp.float32)
    return tuple(call("Moments", [shape, shape], (x_BHWC,)))


def _moments_forward(x_BHWC: jax.Array) -> tuple[Any, Any]:
    means_BC, squares_BC = _moments(x_BHWC)
    return (means_BC, squares_BC), (x_BHWC, means_BC)


def _moments_backward(residuals: Any, gradients: Any) -> tuple[jax.Array]:
    x_BHWC, means_BC = residuals
    of_means_BC, of_squares_BC = gradients
    pixels = x_BHWC.shape[1] * x_BHWC.shape[2]
    # a + b x for each image and channel: one pass over the map, with what else is added to it.
    slope_BC = 2 * of_squares_BC
    constant_BC = of_means_BC / pixels - slope_BC * means_BC
    return (x_BHWC * slope_BC[:, None, None] + constant_BC[:, None, None],)


_moments.defvjp(_moments_forward, _moments_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _normalize(epsilon: float, x_BHWC: jax.Array) -> Any:
    return _normalize_forward(epsilon, x_BHWC)[0]


def _normalize_forward(epsilon: float, x_BHWC: jax.Array) -> tuple[Any, Any]:
    inverse_BHW = jax.ShapeDtypeStruct(x_BHWC.shape[:-1], jnp.float32)
    results = [*_like(x_BHWC), inverse_BHW]
    normal, inverse = call("Normalize", results, (x_BHWC,), {"epsilon": epsilon})
    return normal, (normal, inverse)


def _normalize_backward(epsilon: float, residuals: Any, out_gradients: jax.Array) -> tuple[Any]:
    normal, inverse = residuals
    operands = (out_gradients, normal, inverse)
    return tuple(call("NormalizeBackward", _like(normal), operands))


_normalize.defvjp(_normalize_forward, _normalize_backward)
