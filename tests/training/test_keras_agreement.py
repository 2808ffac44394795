"""Training against real Keras: same parameters, same batches, same losses.

The golden values come from Keras 3 itself; `tests/golden/make_keras_golden.py` made them and says
how. At rate 0.001 a hundred steps agree to float32 rounding; at 1.0 training is chaotic, so there
only the first ten are compared.
"""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras_golden
import numpy as np
import pytest

from cnn_ablation.design import NetworkSpec, TrainingSpec
from cnn_ablation.network import model
from cnn_ablation.network.lowerings import choose_lowering
from cnn_ablation.training.state import Batch, TrainConfig, TrainState
from cnn_ablation.training.steps import optimizer_of, train_step

CASES = {case["name"]: case for case in keras_golden.load_cases()}
RUNS = [(name, run) for name, case in CASES.items() for run in case["runs"]]


@pytest.fixture(scope="module")
def lowering(private_folders: Path) -> str:
    """The lowering that training takes on this machine."""
    return choose_lowering("auto", jax.default_backend())


def config_of(case: dict[str, Any], learning_rate: float, lowering: str) -> TrainConfig:
    fields: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in case["spec"].items()
    }
    training = TrainingSpec(learning_rate=learning_rate, rho=0.95, epsilon=1e-7)
    return TrainConfig(NetworkSpec(**fields), training, lowering)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_logits_of_the_same_parameters(case: dict[str, Any], lowering: str) -> None:
    images_BHWC, _ = keras_golden.batch(0)
    expected = np.asarray(case["logits"])
    params = jax.tree.map(jnp.asarray, keras_golden.initial_params(case))
    logits_BK = model.apply(
        config_of(case, 1.0, lowering).network,
        {"params": params},
        jnp.asarray(images_BHWC[: len(expected)]),
        lowering=lowering,
    )
    np.testing.assert_allclose(logits_BK, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "run"), RUNS, ids=[f"{name}-{run['learning_rate']}" for name, run in RUNS]
)
def test_losses_and_parameters_of_every_step(name: str, run: dict[str, Any], lowering: str) -> None:
    case = CASES[name]
    config = config_of(case, run["learning_rate"], lowering)
    step = jax.jit(train_step, static_argnums=3, donate_argnums=0)
    params = jax.tree.map(jnp.asarray, keras_golden.initial_params(case))
    state = TrainState(params, {}, optimizer_of(config.training).init(params))
    losses = []
    for number in range(run["steps"]):
        images_BHWC, labels_B = map(jnp.asarray, keras_golden.batch(number))
        batch = Batch(images_BHWC, labels_B, jnp.ones(len(labels_B)))
        state, metrics = step(state, batch, jax.random.key(0), config)
        losses.append(float(metrics.loss) / int(metrics.examples))
    np.testing.assert_allclose(losses, run["losses"], rtol=1e-5)
    for path, expected in run["params"].items():
        layer, kind = path.split("/")
        got = np.asarray(state.params[layer][kind], np.float64)
        start = keras_golden.initial_params(case)[layer][kind]
        # Biases have grown from 0 to 1e-4 only: of these 2e-8 is the rounding of the sums.
        tolerance = max(1e-5 * np.abs(got).max(), 2e-8)
        np.testing.assert_allclose(
            got.ravel()[expected["indices"]], expected["entries"], rtol=0, atol=tolerance
        )
        assert np.linalg.norm(got) == pytest.approx(expected["norm"], rel=1e-5, abs=2e-8)
        assert np.linalg.norm(got - start) == pytest.approx(expected["change_norm"], rel=1e-4)
