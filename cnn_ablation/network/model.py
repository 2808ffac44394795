"""The Flax Linen network of a spec, and its two pure functions: `init` and `apply`.

Shape convention: B batch, H height, W width, C channels, K classes, D units.
"""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.typing import VariableDict
from jax import Array
from jax.nn import initializers
from jax.typing import DTypeLike

from cnn_ablation.design.spec import Block, NetworkSpec
from cnn_ablation.network.lowerings import conv_block, dense_block

Params = VariableDict


def glorot_uniform(key: Array, shape: Sequence[int], dtype: DTypeLike = jnp.float32) -> Array:
    """Draws a kernel uniformly from +-sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010).

    The values are those of `jax.nn.initializers.glorot_uniform`; but they are drawn as one line,
    which XLA compiles four times faster for the CPU than a draw of a kernel's four axes.

    Args:
        key: a PRNG key.
        shape: (..., inputs, outputs); what comes before counts as the receptive field.
        dtype: number format.
    """
    fans = math.prod(shape[:-2]) * (shape[-2] + shape[-1])
    line = jax.random.uniform(key, (math.prod(shape),), dtype, -1)
    return (line * jnp.sqrt(jnp.array(6 / fans, dtype))).reshape(shape)


class ConvBlock(nn.Module):
    """Convolution, optional max-pool, bias and ReLU, by one of the lowerings of `convolution`.

    Attributes:
        block: what the block is.
        form: `native`, `xla` or `banded` (see `convolution.resolve_form`).
    """

    block: Block
    form: str

    @nn.compact
    def __call__(self, images_BHWC: Array) -> Array:
        """Maps a batch of maps to the next, of `block.features` channels."""
        side, features = self.block.kernel_size, self.block.features
        shape = (side, side, images_BHWC.shape[-1], features)
        kernel_HWIO = self.param("kernel", glorot_uniform, shape, jnp.float32)
        bias_O = self.param("bias", initializers.zeros, (features,), jnp.float32)
        return conv_block(
            images_BHWC,
            kernel_HWIO.astype(images_BHWC.dtype),
            bias_O.astype(images_BHWC.dtype),
            stride=self.block.stride,
            padding=self.block.padding,
            pool=self.block.pool,
            form=self.form,
        )


class DenseBlock(nn.Module):
    """A Dense layer with ReLU, by one of the lowerings of `convolution`.

    Attributes:
        units: number of outputs.
        form: `native`, `xla` or `banded`.
    """

    units: int
    form: str

    @nn.compact
    def __call__(self, features_BD: Array) -> Array:
        """Maps a batch of flat features to `units` activations."""
        shape = (features_BD.shape[-1], self.units)
        kernel_DO = self.param("kernel", glorot_uniform, shape, jnp.float32)
        bias_O = self.param("bias", initializers.zeros, (self.units,), jnp.float32)
        dtype = features_BD.dtype
        return dense_block(
            features_BD, kernel_DO.astype(dtype), bias_O.astype(dtype), form=self.form
        )


class Network(nn.Module):
    """Convolution blocks, flatten, hidden Dense layer with ReLU, Dense to the classes.

    Initialisation is Keras's: Glorot-uniform kernels and zero biases.
    Layers are named as in the layer table, and Flax derives each parameter's key from these
    names: networks that share a layer's name and shape share its initial values at one seed.

    Attributes:
        spec: what the network is.
        form: the convolution's lowering.
        dtype: number format of the computation; parameters are float32 always.
    """

    spec: NetworkSpec
    form: str
    dtype: str = "float32"

    @nn.compact
    def __call__(self, images_BHWC: Array) -> Array:
        """Maps a batch of images to float32 logits_BK."""
        x_BHWC = images_BHWC.astype(self.dtype)
        for index, block in enumerate(self.spec.blocks):
            x_BHWC = ConvBlock(block, self.form, name=f"conv_{index}")(x_BHWC)
        x_BD = x_BHWC.reshape(x_BHWC.shape[0], -1)
        x_BD = DenseBlock(self.spec.hidden, self.form, name="hidden")(x_BD)
        logits = nn.Dense(
            self.spec.classes, dtype=self.dtype, kernel_init=glorot_uniform, name="logits"
        )
        return logits(x_BD).astype(jnp.float32)


def init(spec: NetworkSpec, key: Array, *, form: str = "xla") -> Params:
    """Draws initial parameters.

    Args:
        spec: the network.
        key: a PRNG key; layers derive theirs from it by name.
        form: the convolution's lowering, which does not change the values.

    Returns:
        float32 parameters by layer name: {"conv_0": {"kernel", "bias"}, ..., "logits": {...}}.
    """
    images_BHWC = jnp.zeros((1, *spec.image_shape), jnp.float32)
    return Network(spec, form).init(key, images_BHWC)["params"]


def apply(
    spec: NetworkSpec,
    params: Params,
    images_BHWC: Array,
    *,
    form: str = "xla",
    dtype: str = "float32",
) -> Array:
    """Computes float32 logits_BK of images whose pixels are scaled to 0..1."""
    return jnp.asarray(Network(spec, form, dtype).apply({"params": params}, images_BHWC))


def normalize(images_BHWC: Array) -> Array:
    """Scales uint8 pixels to 0..1 in float32, as the notebook does."""
    return images_BHWC.astype(jnp.float32) / 255.0


def num_params(params: Params) -> int:
    """Counts the parameters that Flax holds."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
