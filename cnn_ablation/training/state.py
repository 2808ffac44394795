"""The values that training passes around, and all that is fixed while a network trains.

Shape convention: N examples, B batch, H height, W width, C channels, K classes.
"""

from typing import Any, NamedTuple

import optax
from jax import Array

from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec
from cnn_ablation.network import model
from cnn_ablation.network.model import Params, Variables

BATCH_AXIS = "batch"
InputStats = dict[str, Array] | None


class TrainState(NamedTuple):
    """What a training step changes.

    Attributes:
        params: parameters by layer.
        batch_stats: running statistics by layer; empty where there is no batch norm.
        opt_state: the optimizer's own state.
        input_stats: mean and standard deviation of each channel of the pixels, where the network
            sees them standardized; else None.
    """

    params: Params
    batch_stats: Params
    opt_state: optax.OptState
    input_stats: InputStats = None

    @property
    def variables(self) -> Variables:
        """What the network computes with."""
        others = {"batch_stats": self.batch_stats, model.INPUT_STATS: self.input_stats}
        return {"params": self.params, **{name: held for name, held in others.items() if held}}


class Seeds(NamedTuple):
    """What a trial draws its random numbers from, an integer scalar each.

    Attributes:
        init: initial parameters.
        order: the order of the examples, epoch by epoch.
        noise: noise of the steps: dropout, augmentation.
        draws: which examples are trained on, and which labels are wrong.
    """

    init: Array
    order: Array
    noise: Array
    draws: Array

    @classmethod
    def of(cls, seed: Any) -> "Seeds":
        """One seed for all; seeds that are apart already stay as they are."""
        return seed if isinstance(seed, Seeds) else cls(seed, seed, seed, seed)


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
        lowering: name of the lowering: `native`, `direct`, `xla` or `banded`.
        shards: parts that each batch is cut into; with more than one, all functions of `steps`
            must run under `jax.shard_map` with an axis `BATCH_AXIS` of that size.
        steps: steps of the whole training, for a schedule; 0 where the rate is constant.
        data: what is drawn of the training images and labels, and how pixels are normalized; the
            images themselves are arguments.
        precision: of products of float32 numbers, one of `compute.PRECISIONS`.
    """

    network: NetworkSpec
    training: TrainingSpec
    lowering: str
    shards: int = 1
    steps: int = 0
    data: DataSpec = DataSpec()
    precision: str = "float32"
