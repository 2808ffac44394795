"""Training and evaluation as two modes: batch statistics, padding, shards, dropout."""

import json
import os
import subprocess
import sys
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnn_ablation.design import NetworkSpec, TrainingSpec
from cnn_ablation.network import model
from cnn_ablation.network.mode import Mode
from cnn_ablation.stages import dropout, pixels
from cnn_ablation.training.batches import take
from cnn_ablation.training.state import Examples, TrainConfig, TrainState
from cnn_ablation.training.steps import create_train_state, evaluate, train_step

NETWORK = NetworkSpec(features=(2, 3), hidden=5, classes=4, image_shape=(8, 9, 2), norm="batch")
CONFIG = TrainConfig(NETWORK, TrainingSpec(batch_size=16), "xla")
step = jax.jit(train_step, static_argnums=3)


def _key() -> jax.Array:
    return jax.random.key(7)


def examples(count: int = 37) -> Examples:
    generator = np.random.default_rng(0)
    images_NHWC = generator.integers(0, 256, (count, 8, 9, 2), dtype=np.uint8)
    labels_N = generator.integers(0, 4, count)
    return Examples(jnp.asarray(images_NHWC), jnp.asarray(labels_N, jnp.int32))


def start(config: TrainConfig = CONFIG) -> TrainState:
    return jax.jit(create_train_state, static_argnums=1)(jnp.int32(5), config)


def first_maps(state: TrainState, images: jax.Array) -> np.ndarray:
    """The first convolution's output in float64: what the first norm is given."""
    layer = state.params["conv_0"]
    maps = jax.lax.conv_general_dilated(
        images, layer["kernel"], (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    return np.asarray(maps + layer["bias"], np.float64)


def test_running_statistics_move_towards_the_batchs_by_a_share_of_one_minus_momentum() -> None:
    state, batch = start(), take(examples(), jnp.arange(16), jnp.ones(16))
    after, _ = step(state, batch, _key(), CONFIG)
    maps = first_maps(state, batch.images_BHWC)
    running = after.batch_stats["norm_0"]
    np.testing.assert_allclose(running["mean"], 0.01 * maps.mean((0, 1, 2)), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(running["var"], 0.99 + 0.01 * maps.var((0, 1, 2)), rtol=1e-5)


def test_padding_changes_no_statistic() -> None:
    state, data = start(), examples()
    short = take(data, jnp.arange(5), jnp.ones(5))
    padded = take(data, jnp.arange(9), (jnp.arange(9) < 5).astype(jnp.float32))
    (after, metrics), (after_padded, metrics_padded) = (
        step(state, batch, _key(), CONFIG) for batch in (short, padded)
    )
    chex.assert_trees_all_close(after.batch_stats, after_padded.batch_stats, rtol=1e-5, atol=1e-7)
    # A bias in front of batch norm has no gradient but rounding, which the first steps enlarge.
    chex.assert_trees_all_close(after.params, after_padded.params, rtol=1e-4, atol=1e-5)
    chex.assert_trees_all_close(metrics, metrics_padded, rtol=1e-5)


def test_evaluation_takes_the_running_statistics_and_changes_none() -> None:
    state, data = start(), examples()
    running = {
        "mean": jnp.asarray([0.5, -0.25], jnp.float32),
        "var": jnp.asarray([2.0, 0.5], jnp.float32),
    }
    state = state._replace(batch_stats={**state.batch_stats, "norm_0": running})
    one = jax.jit(evaluate, static_argnums=2)(state.variables, data, CONFIG)
    parts = [Examples(*(array[i : i + 1] for array in data)) for i in range(3)]
    losses = [
        float(jax.jit(evaluate, static_argnums=2)(state.variables, part, CONFIG).loss)
        for part in parts
    ]
    whole = Examples(*(array[:3] for array in data))
    together = jax.jit(evaluate, static_argnums=2)(state.variables, whole, CONFIG)
    assert float(together.loss) == pytest.approx(sum(losses), rel=1e-5), "examples stand alone"
    assert int(one.examples) == 37


def test_batch_norm_of_a_batch_is_standardized_by_it() -> None:
    state, batch = start(), take(examples(), jnp.arange(16), jnp.ones(16))
    logits, _ = model.apply_training(NETWORK, state.variables, batch.images_BHWC, Mode(True))
    shifted, _ = model.apply_training(
        NETWORK,
        {**state.variables, "params": _with_bias(state.params, 3.0)},
        batch.images_BHWC,
        Mode(True),
    )
    np.testing.assert_allclose(logits, shifted, rtol=1e-3, atol=1e-4)


def _with_bias(params: Any, shift: float) -> Any:
    layer = params["conv_0"]
    return {**params, "conv_0": {**layer, "bias": layer["bias"] + shift}}


SCRIPT = """
import json, sys
import jax, numpy as np
from cnn_ablation.training import trainer
from cnn_ablation.training.compute import ComputeOptions
from cnn_ablation.data.dataset import Dataset, LabeledImages
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec

generator = np.random.default_rng(0)
labels = generator.integers(0, 4, 150).astype(np.int32)
images = generator.integers(0, 64, (150, 8, 9, 2)).astype(np.uint8)
images[np.arange(150), labels * 2] += 150
split = LabeledImages(images, labels)
dataset = Dataset("made_up", "1.0.0", "train", "test", 4, split, split)
network = NetworkSpec(features=(2, 3), hidden=5, classes=4, image_shape=(8, 9, 2),
                      norm=("batch", "layer"), dropout=(0.25, 0.0), activation="tanh")
training = TrainingSpec(batch_size=20, epochs=2, learning_rate=0.1, optimizer="sgd", momentum=0.9,
                        schedule="cosine", warmup=0.5, weight_decay=0.01, clip_norm=1.0,
                        label_smoothing=0.1, augment=("shift", "flip", "erase"))
data = DataSpec(train_fraction=0.9, label_noise=0.1, input_norm="standardize")
spec = TrialSpec(network, training, data)
answer = []
for count, seeds, together in json.loads(sys.argv[1]):
    compute = ComputeOptions("xla", seeds_per_device=together)
    trials = trainer.fit(spec, dataset, range(seeds), compute, devices=jax.devices()[:count])
    answer.append([[[e.train_loss, e.test_loss] for e in t.record.epochs] for t in trials])
print(json.dumps(answer))
"""


def test_shards_and_several_seeds_have_the_statistics_and_the_noise_of_one_device() -> None:
    # One device; a batch over 3 that do not divide it; seeds on devices and batches over two; seeds
    # together.
    cases = [(1, 2, 1), (3, 1, 1), (4, 2, 1), (1, 2, 2)]
    flags = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=4"
    # Most of the time is XLA's compiling, which need not make these programs fast.
    flags += " --xla_backend_optimization_level=0"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(cases)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )
    assert done.returncode == 0, done.stderr
    alone, *others = json.loads(done.stdout)
    for case, figures in zip(cases[1:], others, strict=True):
        np.testing.assert_allclose(figures, alone[: len(figures)], rtol=2e-4, err_msg=f"{case}")


def test_dropout_drops_its_share_and_scales_the_rest() -> None:
    x_BHWC = jnp.ones((200, 6, 6, 4))
    dropped = np.asarray(dropout.drop(x_BHWC, 0.3, _key()))
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.7)}
    # 28,800 draws: the share's standard error is 0.0027.
    assert (dropped == 0).mean() == pytest.approx(0.3, abs=0.012)
    assert dropped.mean() == pytest.approx(1.0, abs=0.02)
    again = np.asarray(dropout.drop(x_BHWC, 0.3, _key()))
    other = np.asarray(dropout.drop(x_BHWC, 0.3, jax.random.key(8)))
    np.testing.assert_array_equal(dropped, again)
    assert (dropped != other).mean() > 0.3
    assert not np.array_equal(dropped[0], dropped[1])


def test_a_mask_belongs_to_the_example_whatever_device_it_is_on() -> None:
    x_BHWC = jnp.ones((8, 3, 3, 2))
    whole = dropout.drop(x_BHWC, 0.5, _key())
    second_half = dropout.drop(x_BHWC[4:], 0.5, _key(), first=4)
    np.testing.assert_array_equal(whole[4:], second_half)


def test_dropout_is_off_in_evaluation_and_another_in_each_layer_step_and_seed() -> None:
    network = NetworkSpec(features=(2, 3), classes=4, image_shape=(8, 9, 2), dropout=0.5)
    plain = network.replace(dropout=0.0)
    config = TrainConfig(network, TrainingSpec(), "xla")
    state, data = start(config), examples()
    images = pixels.scale(data.images_NHWC)
    np.testing.assert_array_equal(
        model.apply(network, state.variables, images), model.apply(plain, state.variables, images)
    )
    logits = [
        model.apply_training(network, state.variables, images, Mode(True, key=key))[0]
        for key in (_key(), _key(), jax.random.key(8))
    ]
    np.testing.assert_array_equal(logits[0], logits[1])
    assert not np.allclose(logits[0], logits[2])
    mode = Mode(True, key=_key())
    keys = [jax.random.key_data(mode.key_of(f"dropout_{i}")) for i in (0, 1)]
    assert not np.array_equal(keys[0], keys[1])
    with pytest.raises(ValueError, match="needs a PRNG key"):
        model.apply_training(network, state.variables, images, Mode(True))


def test_raw_pixels_are_scaled_and_scaled_ones_left() -> None:
    state, data = start(), examples()
    raw = model.apply(NETWORK, state.variables, data.images_NHWC)
    scaled = model.apply(NETWORK, state.variables, pixels.scale(data.images_NHWC))
    np.testing.assert_array_equal(raw, scaled)
