"""What a block is made of, stage after stage.

Each stage is one file with its geometry, its row of the layer table and its plain computation in
JAX. JAX is imported where something is computed: a layer table does not wait for it. The order
is fixed: a block passes its maps through `STAGES` from the first to the last.
"""

from typing import cast

from cnn_ablation.stages import (
    activation,
    convolution,
    dropout,
    normalization,
    pooling,
    residual,
)
from cnn_ablation.stages.activation import ACTIVATIONS, register_activation
from cnn_ablation.stages.maps import BlockLike, Layer, Map, Stage
from cnn_ablation.stages.normalization import NORMS, register_norm
from cnn_ablation.stages.pooling import POOLS, register_pool

STAGES: tuple[Stage, ...] = cast(
    tuple[Stage, ...], (convolution, normalization, residual, activation, pooling, dropout)
)

__all__ = [
    "ACTIVATIONS",
    "NORMS",
    "POOLS",
    "STAGES",
    "BlockLike",
    "Layer",
    "Map",
    "Stage",
    "register_activation",
    "register_norm",
    "register_pool",
]
