"""Every option of a network against real Keras: logits, losses of 20 steps, running statistics.

`tests/golden/make_keras_options.py` made the values and says how.
"""

from typing import Any

import jax
import jax.numpy as jnp
import keras_options
import numpy as np
import pytest

from cnn_ablation.design import NetworkSpec, TrainingSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.network import model
from cnn_ablation.network.lowerings import choose_lowering
from cnn_ablation.training.state import Batch, TrainConfig, TrainState
from cnn_ablation.training.steps import optimizer_of, train_step

GOLDEN = keras_options.load()
CASES = {case["name"]: case for case in GOLDEN["cases"]}
# Members of a pooling window that are equal but for the last bit: which of them gets the gradient
# hangs on how a lowering rounds, on any processor.
TOLERANCE = {"activation_none": 2e-4}


def network_of(fields: dict[str, Any]) -> NetworkSpec:
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    return NetworkSpec(**values)


@pytest.fixture(scope="module")
def lowering(private_folders: object) -> str:
    """The lowering that training takes on this machine."""
    return choose_lowering("auto", jax.default_backend())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_logits_and_losses_are_keras_own(case: dict[str, Any], lowering: str) -> None:
    network = network_of(case["spec"])
    training = TrainingSpec(optimizer="sgd", learning_rate=keras_options.LEARNING_RATE)
    config = TrainConfig(network, training, lowering)
    fresh = model.init(network, jax.random.key(0))
    params = jax.tree.map(jnp.asarray, keras_options.initial_params(case))
    assert jax.tree.map(jnp.shape, fresh["params"]) == jax.tree.map(jnp.shape, params)
    state = TrainState(params, fresh.get("batch_stats", {}), optimizer_of(training).init(params))
    images_BHWC = jnp.asarray(keras_options.batch(0)[0])

    def logits(state: TrainState) -> Any:
        variables = {"params": state.params, "batch_stats": state.batch_stats}
        return model.apply(network, variables, images_BHWC, lowering=lowering)[:2]

    np.testing.assert_allclose(logits(state), case["logits"], rtol=1e-5, atol=1e-5)
    step = jax.jit(train_step, static_argnums=3)
    losses = []
    for number in range(keras_options.STEPS):
        images, labels = map(jnp.asarray, keras_options.batch(number))
        batch = Batch(images, labels, jnp.ones(len(labels)))
        state, metrics = step(state, batch, jax.random.key(0), config)
        losses.append(float(metrics.loss) / int(metrics.examples))
    tolerance = TOLERANCE.get(case["name"], 1e-5)
    np.testing.assert_allclose(losses, case["losses"], rtol=tolerance)
    np.testing.assert_allclose(
        logits(state), case["trained_logits"], rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize("count", GOLDEN["counts"], ids=range(len(GOLDEN["counts"])))
def test_parameters_are_as_many_as_keras_counts(count: dict[str, Any]) -> None:
    assert summarize(network_of(count["spec"])).params == count["params"]
