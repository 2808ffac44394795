"""The Flax Linen network of a spec, and its pure functions: `init`, `apply` and `apply_training`.

Shape convention: B batch, H height, W width, C channels, K classes, D units.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.typing import VariableDict
from jax import Array
from jax.nn import initializers

from cnn_ablation.design import NetworkSpec
from cnn_ablation.design.training import PRECISIONS
from cnn_ablation.network.block import Drawn, apply_block, drop
from cnn_ablation.network.lowerings import lowering_of
from cnn_ablation.network.mode import EVALUATE, Mode
from cnn_ablation.stages import head, pixels
from cnn_ablation.stages.initializers import INITIALIZERS

Params = VariableDict
# {"params": ..., "batch_stats": ..., "input_stats": ...}: a network has the last two where there is
# batch norm, and where it was trained on standardized pixels.
Variables = dict[str, Any]
INPUT_STATS = "input_stats"


class Hidden(nn.Module):
    """A Dense layer with its activation.

    Attributes:
        units: number of outputs.
        activation: its name.
        lowering: name of the lowering.
        drawn: how its parameters begin.
    """

    units: int
    activation: str
    lowering: str
    drawn: Drawn

    @nn.compact
    def __call__(self, features_BD: Array) -> Array:
        """Maps a batch of flat features to `units` activations."""
        shape = (features_BD.shape[-1], self.units)
        kernel_DO = self.param("kernel", self.drawn.kernel, shape, jnp.float32)
        begin = initializers.constant(self.drawn.bias)
        bias_O = self.param("bias", begin, (self.units,), jnp.float32)
        kernel_DO, bias_O = (array.astype(features_BD.dtype) for array in (kernel_DO, bias_O))
        dense = lowering_of(self.lowering).dense_of(self.activation)
        return dense(features_BD, kernel_DO, bias_O, self.activation)


class Network(nn.Module):
    """Convolution blocks, a head with hidden Dense layers, Dense to the classes.

    Layers are named as in the layer table, and Flax derives each parameter's key from these
    names: networks that share a layer's name and shape share its initial values at one seed.

    Attributes:
        spec: what the network is.
        lowering: name of the lowering.
        dtype: number format of the computation; parameters are float32 always.
    """

    spec: NetworkSpec
    lowering: str
    dtype: str = "float32"

    @nn.compact
    def __call__(self, images_BHWC: Array, mode: Mode = EVALUATE) -> Array:
        """Maps a batch of images to float32 logits_BK."""
        x_BHWC = images_BHWC.astype(self.dtype)
        spec, lowering = self.spec, lowering_of(self.lowering)
        drawn = Drawn(INITIALIZERS[spec.init], spec.bias_init)
        for index, block in enumerate(spec.blocks):
            x_BHWC = apply_block(x_BHWC, block, index, lowering, drawn, mode)
        x_BD = head.to_vector(x_BHWC, spec.head)
        activation = spec.blocks[-1].activation
        for number, units in enumerate(spec.hidden_layers):
            name = head.hidden_name(number)
            x_BD = Hidden(units, activation, self.lowering, drawn, name=name)(x_BD)
        x_BD = drop(x_BD, spec.head_dropout, head.DROPOUT, mode)
        logits = nn.Dense(
            spec.classes,
            dtype=self.dtype,
            kernel_init=drawn.kernel,
            bias_init=initializers.constant(drawn.bias),
            name="logits",
        )
        return logits(x_BD).astype(jnp.float32)


def init(spec: NetworkSpec, key: Array, *, lowering: str = "xla") -> Variables:
    """Draws initial variables.

    Args:
        spec: the network.
        key: a PRNG key; layers derive theirs from it by name.
        lowering: name of the lowering, which does not change the values.

    Returns:
        `params`, float32 by layer name: {"conv_0": {"kernel", "bias"}, ..., "logits": {...}}, and
        where there is batch norm `batch_stats`: {"norm_0": {"mean", "var"}, ...}.
    """
    images_BHWC = jnp.zeros((1, *spec.image_shape), jnp.float32)
    return dict(Network(spec, lowering).init(key, images_BHWC))


def apply(
    spec: NetworkSpec,
    variables: Variables,
    images_BHWC: Array,
    *,
    lowering: str = "xla",
    dtype: str = "float32",
    precision: str = "float32",
) -> Array:
    """Computes float32 logits_BK as in evaluation.

    Args:
        spec: the network.
        variables: what `init` or a training returned.
        images_BHWC: pixels as whole numbers 0 to 255, or scaled to 0..1 as floats.
        lowering: name of the lowering.
        dtype: number format of the computation.
        precision: of products of float32 numbers, where the device has lower ones.
    """
    if jnp.issubdtype(images_BHWC.dtype, jnp.integer):
        images_BHWC = pixels.scale(images_BHWC)
    images_BHWC = standardize(images_BHWC, variables)
    with jax.default_matmul_precision(PRECISIONS[precision]):
        return jnp.asarray(Network(spec, lowering, dtype).apply(variables, images_BHWC))


def apply_training(
    spec: NetworkSpec,
    variables: Variables,
    images_BHWC: Array,
    mode: Mode,
    *,
    lowering: str = "xla",
    dtype: str = "float32",
    precision: str = "float32",
) -> tuple[Array, Variables]:
    """Computes float32 logits_BK as in training, and the running statistics that it changes.

    Args:
        spec: the network.
        variables: parameters and running statistics before the step.
        images_BHWC: scaled to 0..1.
        mode: a mode whose `train` is set.
        lowering: name of the lowering.
        dtype: number format of the computation.
        precision: of products of float32 numbers, where the device has lower ones.

    Returns:
        The logits, and `batch_stats` after the step: empty where there are none.
    """
    network = Network(spec, lowering, dtype)
    images_BHWC = standardize(images_BHWC, variables)
    # Products of the backward pass take the precision of their forward ones.
    with jax.default_matmul_precision(PRECISIONS[precision]):
        logits_BK, changed = network.apply(variables, images_BHWC, mode, mutable=["batch_stats"])
    return jnp.asarray(logits_BK), changed.get("batch_stats", {})


def standardize(images_BHWC: Array, variables: Variables) -> Array:
    """Scaled pixels less the mean and over the deviation that a network was trained with, if any.

    A channel without deviation, as all are before the first epoch, is left as wide as it is.
    """
    if INPUT_STATS not in variables:
        return images_BHWC
    stats = variables[INPUT_STATS]
    deviation_C = jnp.where(stats["std"] > 0, stats["std"], 1.0)
    return (images_BHWC - stats["mean"]) / deviation_C


def num_params(params: Params) -> int:
    """Counts the parameters that Flax holds."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
