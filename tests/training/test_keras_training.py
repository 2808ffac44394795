"""Every option of a training against real Keras: losses of 20 steps, logits and parameters after.

`tests/golden/make_keras_training.py` made the values and says how.
"""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import keras_options
import keras_training
import numpy as np
import optax
import pytest

from cnn_ablation.design import NetworkSpec, TrainingSpec
from cnn_ablation.network import model
from cnn_ablation.optimizers import OPTIMIZERS, SCHEDULES
from cnn_ablation.training.state import Batch, Metrics, TrainConfig, TrainState
from cnn_ablation.training.steps import loss_fn, optimizer_of, train_step

CASES = {case["name"]: case for case in keras_training.load()}
FIELDS: dict[str, Any] = {
    name: tuple(value) if isinstance(value, list) else value
    for name, value in keras_training.NETWORK.items()
}
NETWORK = NetworkSpec(**FIELDS)
# Gradients are compiled once for all optimizers; `train_step`, which joins them, for some.
gradients = jax.jit(jax.grad(loss_fn, has_aux=True), static_argnums=4)
whole_step = jax.jit(train_step, static_argnums=3)


def step(state: TrainState, batch: Batch, config: TrainConfig) -> tuple[TrainState, Metrics]:
    plain = TrainingSpec(label_smoothing=config.training.label_smoothing)
    found, (metrics, batch_stats) = gradients(
        state.params,
        state.batch_stats,
        batch,
        jax.random.key(0),
        config._replace(training=plain, steps=0),
    )
    optimizer = optimizer_of(config.training, config.steps)
    updates, opt_state = optimizer.update(found, state.opt_state, state.params)
    return TrainState(optax.apply_updates(state.params, updates), batch_stats, opt_state), metrics


def config_of(training: dict[str, Any]) -> TrainConfig:
    spec = TrainingSpec(epochs=keras_training.EPOCHS, **training)
    return TrainConfig(NETWORK, spec, "xla", steps=keras_options.STEPS)


def start(config: TrainConfig, params: Any = None) -> TrainState:
    fresh = model.init(NETWORK, jax.random.key(0))
    params = params or fresh["params"]
    optimizer = optimizer_of(config.training, config.steps)
    return TrainState(params, fresh["batch_stats"], optimizer.init(params))


def batch(number: int) -> Batch:
    images_BHWC, labels_B = map(jnp.asarray, keras_options.batch(number))
    return Batch(images_BHWC, labels_B, jnp.ones(len(labels_B)))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_losses_logits_and_parameters_are_keras_own(case: dict[str, Any]) -> None:
    config = config_of(case["training"])
    state = start(config, jax.tree.map(jnp.asarray, keras_options.initial_params(case)))
    losses = []
    for number in range(keras_options.STEPS):
        if case["name"].endswith("together"):
            state, metrics = whole_step(state, batch(number), jax.random.key(0), config)
        else:
            state, metrics = step(state, batch(number), config)
        losses.append(float(metrics.loss) / int(metrics.examples))
    np.testing.assert_allclose(losses, case["losses"], rtol=1e-5)
    logits_BK = model.apply(NETWORK, state.variables, batch(0).images_BHWC[:2])
    np.testing.assert_allclose(logits_BK, case["trained_logits"], rtol=1e-5, atol=1e-5)
    for path, expected in case["params"].items():
        layer, kind = path.split("/")
        values = np.asarray(state.params[layer][kind], np.float64).ravel()
        found = values[expected["indices"]]
        np.testing.assert_allclose(found, expected["entries"], rtol=1e-5, atol=1e-5, err_msg=path)
        assert np.linalg.norm(values) == pytest.approx(expected["norm"], rel=1e-5, abs=1e-6), path


def test_every_optimizer_and_schedule_of_the_package_has_a_case() -> None:
    pairs = {(c["training"]["optimizer"], c["training"].get("schedule")) for c in CASES.values()}
    own = [registry.keys() - registry.users().keys() for registry in (OPTIMIZERS, SCHEDULES)]
    assert set(itertools.product(*own)) <= pairs
