"""The head of a network: its last maps to a vector, hidden Dense layers, and the logits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cnn_ablation.stages.maps import Layer, Map

if TYPE_CHECKING:
    from jax import Array

FLATTEN, GLOBAL_AVG, GLOBAL_MAX = "flatten", "global_avg", "global_max"
DROPOUT = "head_dropout"
HEADS = (FLATTEN, GLOBAL_AVG, GLOBAL_MAX)


def hidden_name(number: int) -> str:
    """Name of a hidden layer by its number from 0: `hidden`, `hidden_1`, `hidden_2`."""
    return f"hidden_{number}" if number else "hidden"


def to_vector(x_BHWC: Array, head: str) -> Array:
    """The last maps of each example as a vector: all of their units, or one a channel."""
    import jax.numpy as jnp

    if head == GLOBAL_AVG:
        return jnp.mean(x_BHWC, axis=(1, 2))
    if head == GLOBAL_MAX:
        return jnp.max(x_BHWC, axis=(1, 2))
    return x_BHWC.reshape(x_BHWC.shape[0], -1)


def layers(network: Any, before: Map) -> Iterator[Layer]:
    """The rows behind the blocks: of the head, the hidden layers and the logits.

    Args:
        network: has `head`, `hidden_layers` and `classes`, as `design.NetworkSpec`.
        before: the last block's map.
    """
    units = before.units if network.head == FLATTEN else before.channels
    whole = before.seen((before.height, before.width))
    # A flat unit is one of the map; one that is pooled over it sees what all of them see.
    seen = before.seen() if network.head == FLATTEN else whole
    yield Layer(network.head, (units,), 0, 0, seen)
    named = [(hidden_name(n), width) for n, width in enumerate(network.hidden_layers)]
    for name, outputs in (*named, ("logits", network.classes)):
        if name == "logits" and network.head_dropout > 0:
            yield Layer(DROPOUT, (units,), 0, 0, whole if named else seen)
        yield Layer(name, (outputs,), (units + 1) * outputs, units * outputs, whole)
        units = outputs
