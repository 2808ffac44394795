"""The compiled kernels as targets of XLA's custom calls: loaded and registered once a process."""

import ctypes
import functools
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from cnn_ablation.network.lowerings.native import build

KERNELS = (
    "Forward",
    "Backward",
    "AffineForward",
    "AffineBackward",
    "Moments",
    "Normalize",
    "NormalizeBackward",
    "Gather",
    "SortByKeys",
    "AdadeltaStep",
    "AdamStep",
    "RmsPropStep",
)
_loading = threading.Lock()


def _load() -> str | build.BuildError:
    # Threads may ask while another one is compiling.
    with _loading:
        return _load_once()


@functools.cache
def _load_once() -> str | build.BuildError:
    """Compile, load and register the kernels; a failure too is remembered, by the process alone.

    Returns:
        The library's key.
    """
    try:
        path, key = build.library()
        library = ctypes.CDLL(str(path))
    except build.BuildError as error:
        return error
    except OSError as error:
        return build.BuildError(f"the kernels do not load: {error}")
    for kernel in KERNELS:
        capsule = jax.ffi.pycapsule(getattr(library, kernel))
        jax.ffi.register_ffi_target(_target(kernel, key), capsule, "cpu")
    return key


def _target(kernel: str, key: str) -> str:
    """The name of a custom call.

    It holds the library's key, so that a compiled program which JAX kept meets no other kernels.
    """
    return f"cnn_ablation_{kernel}_{key}"


def unavailable() -> str | None:
    """Why the kernels cannot be had in this process, in one line; None where they can."""
    loaded = _load()
    return str(loaded) if isinstance(loaded, build.BuildError) else None


def call(
    kernel: str,
    results: Sequence[jax.ShapeDtypeStruct],
    operands: Sequence[jax.Array],
    options: Mapping[str, int | float] | None = None,
    *,
    in_place: int | None = None,
) -> list[Any]:
    """Runs a kernel as a custom call; under `vmap`, once for each element.

    Args:
        kernel: one of `KERNELS`.
        results: shapes and types of what it returns.
        operands: arrays.
        options: its numbers.
        in_place: the operand whose memory the first result may have, the next one that of the
            next operand; None shares none.

    Raises:
        BuildError: The kernels cannot be had; ask `unavailable` first.
    """
    loaded = _load()
    if isinstance(loaded, build.BuildError):
        raise loaded
    run = jax.ffi.ffi_call(
        _target(kernel, loaded),
        list(results),
        vmap_method="sequential",
        input_output_aliases=None
        if in_place is None
        else {in_place + at: at for at in range(len(results))},
    )
    numbers = {
        name: np.float32(value) if isinstance(value, float) else np.int64(value)
        for name, value in (options or {}).items()
    }
    return list(run(*operands, **numbers))
