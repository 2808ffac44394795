"""Steps, epochs and evaluation as pure functions, on small made-up images."""

import functools
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnn_ablation.design import NetworkSpec, TrainingSpec
from cnn_ablation.network import model
from cnn_ablation.training.batches import batch_grid, take
from cnn_ablation.training.state import Batch, Examples, Metrics, TrainConfig, TrainState
from cnn_ablation.training.steps import (
    create_train_state,
    evaluate,
    loss_fn,
    train_epoch,
    train_step,
)

NETWORK = NetworkSpec(features=(2, 3), hidden=5, classes=4, image_shape=(8, 9, 2))
CONFIG = TrainConfig(NETWORK, TrainingSpec(batch_size=16), "xla")
init = jax.jit(create_train_state, static_argnums=1)
epoch = jax.jit(train_epoch, static_argnums=4)


@functools.partial(jax.jit, static_argnums=2)
def loss(params: Any, batch: Batch, config: TrainConfig) -> tuple[jax.Array, Metrics]:
    mean, (metrics, _) = loss_fn(params, {}, batch, jax.random.key(0), config)
    return mean, metrics


@functools.partial(jax.jit, static_argnums=2)
def gradient(params: Any, batch: Batch, config: TrainConfig) -> tuple[Any, Any]:
    return jax.grad(loss_fn, has_aux=True)(params, {}, batch, jax.random.key(0), config)


@functools.partial(jax.jit, static_argnums=2)
def step(state: TrainState, batch: Batch, config: TrainConfig) -> tuple[TrainState, Metrics]:
    return train_step(state, batch, jax.random.key(0), config)


SEED, EPOCH = np.int32(5), np.int32(1)


@pytest.fixture(scope="module")
def examples() -> Examples:
    generator = np.random.default_rng(0)
    images_NHWC = generator.integers(0, 256, (37, 8, 9, 2), dtype=np.uint8)
    return Examples(jnp.asarray(images_NHWC), jnp.asarray(generator.integers(0, 4, 37), jnp.int32))


def whole(examples: Examples) -> Batch:
    count = len(examples.labels_N)
    return take(examples, jnp.arange(count), jnp.ones(count))


def test_an_epoch_takes_every_example_once_in_batches() -> None:
    order_N = jax.random.permutation(jax.random.key(0), 37)
    indices_SPB, weights_SPB = batch_grid(order_N, 16)
    chex.assert_shape((indices_SPB, weights_SPB), (3, 1, 16))
    assert weights_SPB.sum(axis=(1, 2)).tolist() == [16, 16, 5]
    assert sorted(indices_SPB[weights_SPB > 0].tolist()) == list(range(37))


@pytest.mark.parametrize("shards", [2, 3, 5, 20])
def test_shards_of_a_batch_hold_its_examples(shards: int) -> None:
    order_N = jax.random.permutation(jax.random.key(0), 37)
    whole, _ = batch_grid(order_N, 16)
    indices_SPB, weights_SPB = batch_grid(order_N, 16, shards)
    chex.assert_shape((indices_SPB, weights_SPB), (3, shards, -(-16 // shards)))
    assert weights_SPB.sum(axis=(1, 2)).tolist() == [16, 16, 5]
    for step in range(3):
        own = indices_SPB[step][weights_SPB[step] > 0].tolist()
        assert own == whole[step, 0, : len(own)].tolist()


def test_loss_is_the_mean_cross_entropy_of_the_batch(examples: Examples) -> None:
    params = init(SEED, CONFIG).params
    batch = whole(examples)
    logits_BK = np.asarray(
        jax.jit(model.apply, static_argnums=0)(NETWORK, {"params": params}, batch.images_BHWC),
        np.float64,
    )
    log_sum_B = np.log(np.exp(logits_BK).sum(axis=1))
    losses_B = log_sum_B - logits_BK[np.arange(37), np.asarray(batch.labels_B)]
    mean, metrics = loss(params, batch, CONFIG)
    assert float(mean) == pytest.approx(losses_B.mean(), rel=1e-6)
    assert int(metrics.correct) == (logits_BK.argmax(axis=1) == np.asarray(batch.labels_B)).sum()
    assert int(metrics.examples) == 37


def test_padding_changes_neither_loss_nor_step(examples: Examples) -> None:
    state = init(SEED, CONFIG)
    short = take(examples, jnp.arange(5), jnp.ones(5))
    padded = take(examples, jnp.arange(9), (jnp.arange(9) < 5).astype(jnp.float32))
    (after, metrics), (after_padded, metrics_padded) = (
        step(state, batch, CONFIG) for batch in (short, padded)
    )
    chex.assert_trees_all_close(after, after_padded, rtol=1e-5, atol=1e-7)
    chex.assert_trees_all_close(metrics, metrics_padded, rtol=1e-6)
    assert int(metrics_padded.examples) == 5


def test_an_epoch_is_its_steps_in_the_seeds_order(examples: Examples) -> None:
    state = init(SEED, CONFIG)
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(5), 1), 1)
    order = jax.random.permutation(key, 37)
    expected, losses = state, []
    for start in range(0, 37, 16):
        indices = order[start : start + 16]
        batch = take(examples, indices, jnp.ones(len(indices)))
        expected, metrics = step(expected, batch, CONFIG)
        losses.append(float(metrics.loss))
    got, total = epoch(state, examples, SEED, EPOCH, CONFIG)
    chex.assert_trees_all_close(got.params, expected.params, rtol=1e-4, atol=1e-6)
    assert float(total.loss) == pytest.approx(sum(losses), rel=1e-5)
    assert int(total.examples) == 37


def test_orders_differ_between_epochs_and_between_seeds(examples: Examples) -> None:
    state = init(SEED, CONFIG)
    losses = {
        float(epoch(state, examples, jnp.int32(seed), jnp.int32(number), CONFIG)[1].loss)
        for seed, number in ((5, 1), (5, 2), (6, 1))
    }
    assert len(losses) == 3


def test_a_batch_size_over_the_split_is_one_whole_batch(examples: Examples) -> None:
    config = CONFIG._replace(training=TrainingSpec(batch_size=1000))
    state = init(SEED, config)
    expected, _ = step(state, whole(examples), config)
    got, metrics = epoch(state, examples, SEED, EPOCH, config)
    chex.assert_trees_all_close(got.params, expected.params, rtol=1e-4, atol=1e-6)
    assert int(metrics.examples) == 37


def test_evaluation_counts_every_example(examples: Examples) -> None:
    params = init(SEED, CONFIG).params
    big = Examples(*(jnp.concatenate([array] * 20)[:517] for array in examples))
    metrics = jax.jit(evaluate, static_argnums=2)({"params": params}, big, CONFIG)
    mean, direct = loss(params, whole(big), CONFIG)
    assert int(metrics.examples) == 517
    assert int(metrics.correct) == int(direct.correct)
    assert float(metrics.loss) / 517 == pytest.approx(float(mean), rel=1e-5)


def test_the_optimiser_is_zeilers_adadelta(examples: Examples) -> None:
    config = CONFIG._replace(training=TrainingSpec(learning_rate=0.5, rho=0.9, epsilon=1e-6))
    state = init(SEED, config)
    batch = whole(examples)
    squares = jax.tree.map(lambda p: np.zeros(p.shape), state.params)
    steps, params = squares, jax.tree.map(lambda p: np.asarray(p, np.float64), state.params)
    for _ in range(3):
        gradients = gradient(state.params, batch, config)[0]
        squares = jax.tree.map(lambda s, g: 0.9 * s + 0.1 * np.square(g), squares, gradients)
        delta = jax.tree.map(
            lambda s, d, g: -np.sqrt((d + 1e-6) / (s + 1e-6)) * g, squares, steps, gradients
        )
        steps = jax.tree.map(lambda d, x: 0.9 * d + 0.1 * np.square(x), steps, delta)
        params = jax.tree.map(lambda p, x: p + 0.5 * x, params, delta)
        state, _ = step(state, batch, config)
    chex.assert_trees_all_close(state.params, params, rtol=1e-4, atol=1e-6)


def test_gradients_are_those_of_finite_differences(examples: Examples) -> None:
    params = init(SEED, CONFIG).params
    batch = whole(examples)
    gradients = gradient(params, batch, CONFIG)[0]
    norm = sum(float(jnp.vdot(g, g)) for g in jax.tree.leaves(gradients)) ** 0.5
    shifted = [
        float(
            loss(
                jax.tree.map(lambda p, g, h=h: p + h * g / norm, params, gradients), batch, CONFIG
            )[0]
        )
        for h in (-1e-2, 1e-2)
    ]
    assert (shifted[1] - shifted[0]) / 2e-2 == pytest.approx(norm, rel=0.02)


def test_state_of_a_seed_is_the_same_bits_every_time() -> None:
    first, second = (init(SEED, CONFIG) for _ in range(2))
    chex.assert_trees_all_equal(first, second)
    other = init(jnp.int32(6), CONFIG)
    assert isinstance(other, TrainState)
    assert not np.array_equal(first.params["conv_0"]["kernel"], other.params["conv_0"]["kernel"])
