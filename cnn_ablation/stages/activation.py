"""Activations: functions of one number for every unit of a map, as Keras 3 defines them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cnn_ablation.options import Registry
from cnn_ablation.stages.maps import BlockLike, Layer, Map

if TYPE_CHECKING:
    from jax import Array

FIELDS = ("activation",)

Activation = Callable[..., Any]
ACTIVATIONS: Registry[Activation] = Registry("activation")
register_activation = ACTIVATIONS.register
"""Adds an activation: `@register_activation("name")` on `activation(x) -> x` of the same shape."""


@register_activation("relu")
def relu(x: Array) -> Array:
    """The larger of x and 0."""
    import jax

    return jax.nn.relu(x)


@register_activation("leaky_relu")
def leaky_relu(x: Array) -> Array:
    """X, or 0.2 x where x is negative."""
    import jax

    return jax.nn.leaky_relu(x, 0.2)


@register_activation("elu")
def elu(x: Array) -> Array:
    """X, or exp(x) - 1 where x is negative."""
    import jax

    return jax.nn.elu(x)


@register_activation("gelu")
def gelu(x: Array) -> Array:
    """X times the normal distribution function of x, exactly."""
    import jax

    return jax.nn.gelu(x, approximate=False)


@register_activation("silu")
def silu(x: Array) -> Array:
    """X times the logistic function of x."""
    import jax

    return jax.nn.silu(x)


@register_activation("tanh")
def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    import jax.numpy as jnp

    return jnp.tanh(x)


@register_activation("sigmoid")
def sigmoid(x: Array) -> Array:
    """The logistic function."""
    import jax

    return jax.nn.sigmoid(x)


@register_activation("none")
def none(x: Array) -> Array:
    """X itself: a linear layer."""
    return x


def activate(x: Array, block: BlockLike) -> Array:
    """A map behind the block's activation."""
    activated: Array = ACTIVATIONS[block.activation](x)
    return activated


def after(block: BlockLike, before: Map) -> Map:
    """The same map."""
    return before


def layer(block: BlockLike, index: int, seen: Map, before: Map, after: Map) -> Layer | None:
    """No row: an activation has no parameters and is counted with its layer."""
    return None


def misfit(block: BlockLike, number: int, seen: Map, before: Map) -> tuple[str, str] | None:
    """Nothing: an activation takes any map."""
    return None
