"""How kernels are drawn at the start, by name; biases begin with one value.

A kernel's spread follows from its fans: `glorot` from both (Glorot and Bengio 2010), `he` from the
inputs, for ReLU (He et al. 2015, arXiv 1502.01852), `lecun` from the inputs (LeCun et al. 1998). A
normal one is cut off at two standard deviations and widened to make up for it, as Keras does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cnn_ablation.options import Registry

if TYPE_CHECKING:
    from jax import Array

Initializer = Callable[..., Any]
INITIALIZERS: Registry[Initializer] = Registry("init")
# Standard deviation of a standard normal variable that is cut off at -2 and 2.
_CUT_OFF = 0.87962566103423978


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    """Fan in and fan out of a kernel (..., inputs, outputs); what comes before is its field."""
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def _uniform(key: Array, shape: Sequence[int], spread: float, fan: int, dtype: Any) -> Array:
    # Drawn as one line, which XLA compiles four times faster for the CPU than a draw of four axes.
    import jax
    import jax.numpy as jnp

    line = jax.random.uniform(key, (math.prod(shape),), dtype, -1)
    return (line * jnp.sqrt(jnp.array(3 * spread / fan, dtype))).reshape(shape)


def _normal(key: Array, shape: Sequence[int], spread: float, fan: int, dtype: Any) -> Array:
    import jax
    import jax.numpy as jnp

    line = jax.random.truncated_normal(key, -2, 2, (math.prod(shape),), dtype)
    return (line * jnp.array(math.sqrt(spread / fan) / _CUT_OFF, dtype)).reshape(shape)


def _register(
    name: str, draw: Callable[..., Array], spread: float, fan: Callable[[int, int], int]
) -> None:
    """Adds an initializer whose values have the variance `spread / fan`."""

    def initializer(key: Array, shape: Sequence[int], dtype: Any = "float32") -> Array:
        return draw(key, shape, spread, fan(*_fans(shape)), dtype)

    initializer.__name__ = initializer.__qualname__ = name
    INITIALIZERS.register(name)(initializer)


def _inputs(fan_in: int, fan_out: int) -> int:
    return fan_in


for _name, _spread, _fan in (("glorot", 2, int.__add__), ("he", 2, _inputs), ("lecun", 1, _inputs)):
    _register(f"{_name}_uniform", _uniform, _spread, _fan)
    _register(f"{_name}_normal", _normal, _spread, _fan)
