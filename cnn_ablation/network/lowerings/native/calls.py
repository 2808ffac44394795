"""The block as our own C++ kernels on the CPU, called by XLA; the sources lie beside this file."""

import ctypes
import dataclasses
import functools
import threading
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cnn_ablation.design import Block
from cnn_ablation.network.lowerings.native import build
from cnn_ablation.stages.geometry import conv_output_size, pad_before


@dataclasses.dataclass(frozen=True)
class _Targets:
    """Names of the custom calls.

    They hold the library's key, so that a compiled program which JAX kept meets no other kernels.
    """

    forward: str
    backward: str


@dataclasses.dataclass(frozen=True)
class _Geometry:
    stride: int
    pad_top: int
    pad_left: int
    pool: int
    out_height: int
    out_width: int


_loading = threading.Lock()


def _load() -> _Targets | build.BuildError:
    # Threads may ask while another one is compiling.
    with _loading:
        return _load_once()


@functools.cache
def _load_once() -> _Targets | build.BuildError:
    """Compile, load and register the kernels; a failure too is remembered, by the process alone."""
    try:
        path, key = build.library()
        kernels = ctypes.CDLL(str(path))
    except build.BuildError as error:
        return error
    except OSError as error:
        return build.BuildError(f"the kernels do not load: {error}")
    targets = _Targets(f"cnn_ablation_forward_{key}", f"cnn_ablation_backward_{key}")
    jax.ffi.register_ffi_target(targets.forward, jax.ffi.pycapsule(kernels.Forward), "cpu")
    jax.ffi.register_ffi_target(targets.backward, jax.ffi.pycapsule(kernels.Backward), "cpu")
    return targets


def unavailable() -> str | None:
    """Why the kernels cannot be had in this process, in one line; None where they can."""
    loaded = _load()
    return str(loaded) if isinstance(loaded, build.BuildError) else None


def conv_block(
    images_BHWC: jax.Array,
    kernel_HWIO: jax.Array,
    bias_O: jax.Array,
    *,
    stride: int,
    padding: str,
    pool: int,
) -> jax.Array:
    """Convolution, max-pool, bias and ReLU; see `cnn_ablation.network.lowerings.conv_block`.

    Computes in float32 whatever the type of the images, which is also that of the result. XLA does
    not split a custom call: arrays sharded over a mesh are gathered first, unless the caller wraps
    the step in `jax.shard_map` (with `check_vma=False`, for calls into C++ have no rule for it).

    Raises:
        ValueError: The shapes do not fit one another.
        BuildError: The kernels cannot be had; ask `unavailable` first.
    """
    height, width = images_BHWC.shape[1:3]
    kernel_height, kernel_width, channels, features = kernel_HWIO.shape
    if images_BHWC.shape[3] != channels or bias_O.shape != (features,):
        shapes = f"{images_BHWC.shape}, {kernel_HWIO.shape}, {bias_O.shape}"
        raise ValueError(f"images, kernel and bias do not fit: {shapes}")
    geometry = _Geometry(
        stride,
        pad_before(height, kernel_height, stride, padding),
        pad_before(width, kernel_width, stride, padding),
        pool,
        conv_output_size(height, kernel_height, stride, padding) // pool,
        conv_output_size(width, kernel_width, stride, padding) // pool,
    )
    if min(geometry.out_height, geometry.out_width) < 1:
        raise ValueError(f"kernel and pool do not fit into images of {height} x {width}")
    arrays = (array.astype(jnp.float32) for array in (images_BHWC, kernel_HWIO, bias_O))
    return _block(geometry, *arrays).astype(images_BHWC.dtype)


def block(
    images_BHWC: jax.Array, kernel_HWIO: jax.Array, bias_O: jax.Array, block: Block
) -> jax.Array:
    """`conv_block` of a spec's block."""
    return conv_block(
        images_BHWC,
        kernel_HWIO,
        bias_O,
        stride=block.stride,
        padding=block.padding,
        pool=block.pool,
    )


def dense(features_BD: jax.Array, kernel_DO: jax.Array, bias_O: jax.Array) -> jax.Array:
    """A Dense layer with ReLU: the block whose kernel covers the whole image.

    On the CPU a wide one takes XLA longer than the convolutions before it take these kernels.
    """
    pixels, kernel = features_BD[:, None, None, :], kernel_DO[None, None]
    return conv_block(pixels, kernel, bias_O, stride=1, padding="valid", pool=1)[:, 0, 0]


def _targets() -> _Targets:
    loaded = _load()
    if isinstance(loaded, build.BuildError):
        raise loaded
    return loaded


def _call(
    name: str, results: list[jax.ShapeDtypeStruct], geometry: _Geometry, *operands: jax.Array
) -> Any:
    call = jax.ffi.ffi_call(name, results, vmap_method="sequential")
    attributes = ("stride", "pad_top", "pad_left", "pool")
    return call(*operands, **{name: np.int64(getattr(geometry, name)) for name in attributes})


def _forward(
    geometry: _Geometry, images_BHWC: jax.Array, kernel_HWIO: jax.Array, bias_O: jax.Array
) -> Any:
    """The outputs and, where there is pooling, which member of each window won."""
    shape = (len(images_BHWC), geometry.out_height, geometry.out_width, len(bias_O))
    dtypes = [jnp.float32] if geometry.pool == 1 else [jnp.float32, jnp.int32]
    results = [jax.ShapeDtypeStruct(shape, dtype) for dtype in dtypes]
    return _call(_targets().forward, results, geometry, images_BHWC, kernel_HWIO, bias_O)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _block(
    geometry: _Geometry, images_BHWC: jax.Array, kernel_HWIO: jax.Array, bias_O: jax.Array
) -> jax.Array:
    return _forward(geometry, images_BHWC, kernel_HWIO, bias_O)[0]


def _block_forward(
    geometry: _Geometry, images: Any, kernel: Any, bias: Any
) -> tuple[jax.Array, Any]:
    images_BHWC, kernel_HWIO, bias_O = images.value, kernel.value, bias.value
    outputs = _forward(geometry, images_BHWC, kernel_HWIO, bias_O)
    # The gradient at a dataset's images would cost as much as the rest, and nobody asks for it.
    # What is kept tells so by its structure, since it may hold arrays alone.
    images_wanted = () if images.perturbed else None
    return outputs[0], (images_BHWC, kernel_HWIO, bias_O, outputs[-1], images_wanted)


def _block_backward(
    geometry: _Geometry, kept: Any, out_gradients: Any
) -> tuple[jax.Array | None, jax.Array | None, jax.Array | None]:
    if isinstance(out_gradients, jax.custom_derivatives.SymbolicZero):
        return None, None, None
    images_BHWC, kernel_HWIO, bias_O, residual, asked = kept
    images_wanted = asked is not None
    wanted = [kernel_HWIO, bias_O, *([images_BHWC] if images_wanted else [])]
    results = [jax.ShapeDtypeStruct(array.shape, jnp.float32) for array in wanted]
    operands = (images_BHWC, kernel_HWIO, residual, out_gradients)
    gradients = _call(_targets().backward, results, geometry, *operands)
    return (gradients[2] if images_wanted else None), gradients[0], gradients[1]


_block.defvjp(_block_forward, _block_backward, symbolic_zeros=True)
