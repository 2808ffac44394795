"""What each block of a network makes of images: its feature maps.

Shape convention: B batch, H height, W width, C channels.
"""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from jax import Array

from cnn_ablation.design import NetworkSpec
from cnn_ablation.network import model
from cnn_ablation.network.block import Drawn, apply_block
from cnn_ablation.network.lowerings import lowering_of
from cnn_ablation.network.mode import EVALUATE
from cnn_ablation.stages import pixels
from cnn_ablation.stages.initializers import INITIALIZERS


class _Blocks(nn.Module):
    """The blocks of a `model.Network`, with its parameters."""

    spec: NetworkSpec
    lowering: str

    @nn.compact
    def __call__(self, images_BHWC: Array) -> list[Array]:
        drawn = Drawn(INITIALIZERS[self.spec.init], self.spec.bias_init)
        maps, x_BHWC = [], images_BHWC
        for index, block in enumerate(self.spec.blocks):
            x_BHWC = apply_block(x_BHWC, block, index, lowering_of(self.lowering), drawn, EVALUATE)
            maps.append(x_BHWC)
        return maps


def feature_maps(
    spec: NetworkSpec, variables: Mapping[str, Any], images_BHWC: Any, *, lowering: str = "xla"
) -> list[Array]:
    """The maps behind each block, float32, as in evaluation.

    Args:
        spec: the network.
        variables: what a training returned.
        images_BHWC: pixels as whole numbers 0 to 255, or scaled to 0..1 as floats.
        lowering: name of the lowering.
    """
    images_BHWC = jnp.asarray(images_BHWC)
    if jnp.issubdtype(images_BHWC.dtype, jnp.integer):
        images_BHWC = pixels.scale(images_BHWC)
    images_BHWC = model.standardize(images_BHWC, dict(variables))
    maps: Any = _Blocks(spec, lowering).apply(dict(variables), images_BHWC)
    return list(maps)
