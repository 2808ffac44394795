"""The network: shapes for any spec, initialisation, number formats."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from absl.testing import parameterized
from hypothesis import given, settings
from strategies import network_specs

from cnn_ablation.design import NetworkSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.network import model
from cnn_ablation.stages import pixels
from cnn_ablation.stages.initializers import INITIALIZERS

DESIGNS = {
    "base": NetworkSpec(),
    "stride2": NetworkSpec(stride=2),
    "same": NetworkSpec(padding="same"),
    "pool3": NetworkSpec(pool=3),
    "one_block": NetworkSpec(features=5, kernel_size=4),
    "three_blocks": NetworkSpec(features=(2, 3, 4), kernel_size=(5, 3, 2), pool=(2, 1, 2)),
    "colour": NetworkSpec(image_shape=(20, 24, 3), classes=5),
}


class NetworkShapes(chex.TestCase):
    @chex.variants(with_jit=True, without_jit=True)
    @parameterized.named_parameters(*DESIGNS.items())
    def test_logits_and_parameters(self, spec: NetworkSpec) -> None:
        variables = model.init(spec, jax.random.key(0))
        images_BHWC = jnp.ones((3, *spec.image_shape))
        logits_BK = self.variant(lambda v, x: model.apply(spec, v, x))(variables, images_BHWC)
        chex.assert_shape(logits_BK, (3, spec.classes))
        chex.assert_type(logits_BK, jnp.float32)
        chex.assert_tree_all_finite(logits_BK)
        assert model.num_params(variables["params"]) == summarize(spec).params


@given(network_specs())
@settings(max_examples=15)
def test_any_spec_gives_logits_of_its_shape(spec: NetworkSpec) -> None:
    variables = jax.eval_shape(lambda key: model.init(spec, key), jax.random.key(0))
    images = jax.ShapeDtypeStruct((2, *spec.image_shape), jnp.float32)
    logits = jax.eval_shape(lambda v, x: model.apply(spec, v, x), variables, images)
    chex.assert_shape(logits, (2, spec.classes))


def test_kernels_are_glorot_uniform_and_biases_zero() -> None:
    params = model.init(NetworkSpec(), jax.random.key(7))["params"]
    for name, fan_sum in (("conv_1", 9 * 8 + 9 * 16), ("hidden", 9216 + 32)):
        kernel = np.asarray(params[name]["kernel"])
        limit = (6 / fan_sum) ** 0.5
        assert np.abs(kernel).max() <= limit
        assert np.abs(kernel).max() > 0.98 * limit
        assert kernel.std() == pytest.approx(limit / 3**0.5, rel=0.05)
        assert not np.asarray(params[name]["bias"]).any()


@pytest.mark.parametrize("shape", [(3, 3, 1, 8), (5, 4, 8, 16), (576, 32)])
def test_kernels_are_drawn_as_jax_draws_them(shape: tuple[int, ...]) -> None:
    key = jax.random.key(11)
    expected = jax.nn.initializers.glorot_uniform()(key, shape)
    chex.assert_trees_all_close(INITIALIZERS["glorot_uniform"](key, shape), expected, rtol=1e-6)


def test_layers_of_one_name_and_shape_start_alike_in_any_design() -> None:
    key = jax.random.key(3)
    base = model.init(NetworkSpec(), key)["params"]
    for other in (NetworkSpec(stride=2), NetworkSpec(kernel_size=(3, 5)), NetworkSpec(pool=4)):
        params = model.init(other, key)["params"]
        chex.assert_trees_all_equal(base["conv_0"], params["conv_0"])
        chex.assert_trees_all_equal(base["logits"], params["logits"])
    strided = model.init(NetworkSpec(stride=2), key)["params"]
    chex.assert_trees_all_equal(base["conv_1"], strided["conv_1"])
    assert base["hidden"]["kernel"].shape != strided["hidden"]["kernel"].shape


def test_layers_of_one_design_differ() -> None:
    spec = NetworkSpec(features=(1, 1), image_shape=(9, 9, 1))
    params = model.init(spec, jax.random.key(0))["params"]
    assert not np.allclose(params["conv_0"]["kernel"], params["conv_1"]["kernel"])


def test_bfloat16_computes_near_float32_from_the_same_parameters() -> None:
    spec = NetworkSpec(stride=2)
    variables = model.init(spec, jax.random.key(0))
    images_BHWC = jax.random.uniform(jax.random.key(1), (8, 28, 28, 1))
    full = model.apply(spec, variables, images_BHWC)
    half = model.apply(spec, variables, images_BHWC, dtype="bfloat16")
    chex.assert_type(half, jnp.float32)
    scale = float(jnp.abs(full).max())
    assert 0 < float(jnp.abs(full - half).max()) < 0.03 * scale


def test_pixels_are_scaled_to_one() -> None:
    some = jnp.array([0, 51, 255], jnp.uint8)
    chex.assert_trees_all_close(pixels.scale(some), jnp.array([0.0, 0.2, 1.0]))
