"""The native kernels compute every choice of a block as plain JAX does, gradients included.

Both start from the same parameters, batches and masks. The last examples of the batch are padding.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from jax import Array
from strategies import network_specs

from cnn_ablation.design import NetworkSpec
from cnn_ablation.network import model
from cnn_ablation.network.lowerings import announce_fallbacks, lowering_of
from cnn_ablation.network.lowerings.native import kept
from cnn_ablation.network.mode import Mode
from cnn_ablation.stages import ACTIVATIONS, POOLS, register_activation

pytest_plugins = ["convolution_fixtures"]
BATCH, PADDING = 19, 3
PAIRS = (("relu", "none"), ("leaky_relu", "elu"), ("gelu", "silu"), ("tanh", "sigmoid"))
CASES: dict[str, dict[str, Any]] = {
    "dilation": {"dilation": 2, "image_shape": (22, 22, 1)},
    "dilation and same": {"dilation": 3, "padding": "same", "pool": 1},
    "dilation and stride": {"dilation": (2, 3), "stride": (3, 2), "padding": "same", "pool": 1},
    "groups": {"groups": (1, 2), "bias": False},
    "wide groups": {"features": (32, 64), "groups": (1, 2), "pool": (2, 1)},
    "depthwise": {"features": (24, 48), "groups": (1, 24), "pool": (2, 1)},
    **{f"{pair}": {"activation": pair} for pair in PAIRS},
    **{f"{pair} alone": {"activation": pair, "pool": 1, "stride": 2} for pair in PAIRS},
    **{f"{pair}, mean": {"activation": pair, "pool_kind": "avg"} for pair in PAIRS},
    "batch": {"norm": "batch"},
    "layer and group": {"norm": ("layer", "group"), "norm_groups": (1, 4)},
    "batch, residual": {"norm": "batch", "residual": True, "pool_kind": "avg"},
    "group, residual": {"norm": "group", "residual": True, "activation": "silu"},
    "residual": {"residual": True, "padding": "same", "features": (8, 8), "activation": "gelu"},
    "dropout": {"dropout": 0.25, "hidden": (64, 32), "activation": "silu"},
}


def variables_of(spec: NetworkSpec) -> dict[str, Any]:
    """Initial values, moved away from the zeros and ones that would hide a mistake."""

    def moved(tree: Any) -> Any:
        leaves, structure = jax.tree.flatten(tree)
        keys = jax.random.split(jax.random.key(1), len(leaves))
        steps = [
            jax.random.normal(key, leaf.shape) / 20 for key, leaf in zip(keys, leaves, strict=True)
        ]
        return jax.tree.unflatten(structure, [a + b for a, b in zip(leaves, steps, strict=True)])

    variables = model.init(spec, jax.random.key(0))
    return {name: moved(tree) for name, tree in variables.items()}


def computed(spec: NetworkSpec, lowering: str) -> dict[str, Any]:
    """Logits in training and evaluation, running statistics, and gradients at the parameters."""
    images = jax.random.uniform(jax.random.key(2), (BATCH, *spec.image_shape))
    directions = jax.random.normal(jax.random.key(3), (BATCH, spec.classes))
    weights = jnp.ones(BATCH).at[-PADDING:].set(0)
    mode = Mode(True, weights, jax.random.key(4))

    def value(params: Any, rest: Any) -> tuple[Array, Any]:
        logits, stats = model.apply_training(
            spec, {**rest, "params": params}, images, mode, lowering=lowering
        )
        return jnp.sum(logits * directions * weights[:, None]), (logits, stats)

    @jax.jit
    def run(params: Any, rest: Any) -> dict[str, Any]:
        gradients, (logits, stats) = jax.grad(value, has_aux=True)(params, rest)
        evaluated = model.apply(spec, {**rest, "params": params}, images, lowering=lowering)
        return {
            "gradients": gradients,
            "training": logits[:-PADDING],
            "evaluation": evaluated,
            "statistics": stats,
        }

    variables = variables_of(spec)
    found: dict[str, Any] = run(variables.pop("params"), variables)
    return found


def assert_agree(spec: NetworkSpec, tolerance: float = 2e-5) -> None:
    """To rounding: of each array's largest value, or of a tenth of the largest gradient."""
    want, got = (jax.device_get(computed(spec, name)) for name in ("xla", "native"))
    largest = max(abs(leaf).max() for leaf in jax.tree.leaves(want["gradients"]))
    for (path, theirs), mine in zip(
        jax.tree_util.tree_leaves_with_path(want), jax.tree.leaves(got), strict=True
    ):
        # A bias before a norm has a gradient of zero, but for rounding.
        scale = max(abs(theirs).max(), 0.1 * largest if "gradients" in str(path[0]) else 0)
        name = jax.tree_util.keystr(path)
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=tolerance * scale, err_msg=name)


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("case", CASES)
def test_a_choice_is_computed_as_by_plain_jax(case: str) -> None:
    options: dict[str, Any] = {"pool": 2, "image_shape": (14, 14, 1), **CASES[case]}
    assert_agree(NetworkSpec(**options))


@pytest.mark.search
@pytest.mark.usefixtures("native")
@settings(max_examples=100)
@given(network_specs())
def test_any_network_is_computed_as_by_plain_jax(spec: NetworkSpec) -> None:
    # Norms of maps that hardly vary make rounding larger.
    assert_agree(spec, 5e-4)


def test_every_choice_of_the_package_has_a_kernel() -> None:
    assert set(kept.ACTIVATIONS) == set(ACTIVATIONS)
    assert set(kept.POOLS) == set(POOLS)


@pytest.mark.usefixtures("native")
def test_a_choice_of_the_users_own_is_plain_jax_and_said_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    register_activation("squared_relu")(lambda x: jnp.square(jnp.maximum(x, 0)))
    try:
        spec = NetworkSpec(stride=2, activation="squared_relu", norm="batch")
        assert lowering_of("native").unsupported(spec.blocks[0]) == ("activation", "norm")
        assert_agree(spec)
        for _ in range(2):
            announce_fallbacks([spec, NetworkSpec(norm="layer", dilation=2)], "native")
        assert capsys.readouterr().err.splitlines() == [
            "cnn_ablation: activation=squared_relu is not in the native kernels: blocks with it "
            "are computed by plain JAX in part, slower"
        ]
    finally:
        ACTIVATIONS._choices.pop("squared_relu")
        ACTIVATIONS._origins.pop("squared_relu")
