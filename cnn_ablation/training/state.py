"""The values that training passes around, and all that is fixed while a network trains.

Shape convention: N examples, B batch, H height, W width, C channels, K classes.
"""

from typing import NamedTuple

import optax
from jax import Array

from cnn_ablation.design import NetworkSpec, TrainingSpec
from cnn_ablation.network.model import Params, Variables

BATCH_AXIS = "batch"


class TrainState(NamedTuple):
    """What a training step changes.

    Attributes:
        params: parameters by layer.
        batch_stats: running statistics by layer; empty where there is no batch norm.
        opt_state: the optimizer's own state.
    """

    params: Params
    batch_stats: Params
    opt_state: optax.OptState

    @property
    def variables(self) -> Variables:
        """What the network computes with."""
        return variables_of(self.params, self.batch_stats)


class Batch(NamedTuple):
    """Some examples: pixels in 0..1, class numbers, and weights that are 0 for padding."""

    images_BHWC: Array
    labels_B: Array
    weights_B: Array


class Examples(NamedTuple):
    """A whole split on the device: uint8 pixels and class numbers."""

    images_NHWC: Array
    labels_N: Array


class Metrics(NamedTuple):
    """Sums over examples: of the loss, of right answers, and of the examples themselves."""

    loss: Array
    correct: Array
    examples: Array


class TrainConfig(NamedTuple):
    """All that is fixed while a network trains; hashable, and static under jit.

    Attributes:
        network: what is trained.
        training: how.
        lowering: name of the lowering: `native`, `xla` or `banded`.
        shards: parts that each batch is cut into; with more than one, all functions of `steps`
            must run under `jax.shard_map` with an axis `BATCH_AXIS` of that size.
        steps: steps of the whole training, for a schedule; 0 where the rate is constant.
    """

    network: NetworkSpec
    training: TrainingSpec
    lowering: str
    shards: int = 1
    steps: int = 0


def variables_of(params: Params, batch_stats: Params) -> Variables:
    """Parameters and running statistics as Flax's variables."""
    return {"params": params, "batch_stats": batch_stats} if batch_stats else {"params": params}
