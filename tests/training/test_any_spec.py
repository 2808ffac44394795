"""Any spec with all options at once: its layer table is right, its programs are, it trains."""

import functools
import itertools
import json
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from strategies import trial_specs

from cnn_ablation.design import TrainingSpec, TrialSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.network import model
from cnn_ablation.optimizers import OPTIMIZERS, SCHEDULES
from cnn_ablation.training.state import Examples, TrainConfig
from cnn_ablation.training.steps import create_train_state, optimizer_of, train_epoch

COUNT = 23


def config_of(spec: TrialSpec) -> TrainConfig:
    steps = 2 * -(-spec.data.train_examples(COUNT) // spec.training.batch_size)
    return TrainConfig(spec.network, spec.training, "xla", steps=steps, data=spec.data.drawn)


@given(trial_specs())
@settings(max_examples=25)
def test_parameters_are_those_of_the_layer_table_and_an_epoch_keeps_every_shape(
    spec: TrialSpec,
) -> None:
    assert TrialSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    config, number = config_of(spec), jax.ShapeDtypeStruct((), jnp.int32)
    images_NHWC: Any = jax.ShapeDtypeStruct((COUNT, *spec.network.image_shape), jnp.uint8)
    labels_N: Any = jax.ShapeDtypeStruct((COUNT,), jnp.int32)
    state = jax.eval_shape(functools.partial(create_train_state, config=config), number)
    layers = {layer.name: layer.params for layer in summarize(spec.network).layers if layer.params}
    assert {name: model.num_params(held) for name, held in state.params.items()} == layers
    epoch = functools.partial(train_epoch, config=config)
    after, _ = jax.eval_shape(epoch, state, Examples(images_NHWC, labels_N), number, number)
    chex.assert_trees_all_equal_shapes_and_dtypes(after, state)


@given(trial_specs())
@settings(max_examples=2)
def test_an_epoch_of_any_spec_is_finite_and_takes_each_example_once(spec: TrialSpec) -> None:
    config, generator = config_of(spec), np.random.default_rng(0)
    shape = (COUNT, *spec.network.image_shape)
    images_NHWC = jnp.asarray(generator.integers(0, 256, shape, dtype=np.uint8))
    labels_N = jnp.asarray(generator.integers(0, spec.network.classes, COUNT), jnp.int32)
    state = jax.jit(create_train_state, static_argnums=1)(jnp.int32(0), config)
    # Most of the time is XLA's compiling, which need not make these programs fast.
    epoch = jax.jit(train_epoch, static_argnums=4).lower(
        state, Examples(images_NHWC, labels_N), jnp.int32(0), jnp.int32(1), config
    )
    compiled = epoch.compile({"xla_backend_optimization_level": "0"})
    after, metrics = compiled(state, Examples(images_NHWC, labels_N), jnp.int32(0), jnp.int32(1))
    chex.assert_tree_all_finite((after, metrics))
    assert int(metrics.examples) == spec.data.train_examples(COUNT)


@pytest.mark.parametrize(("optimizer", "schedule"), list(itertools.product(OPTIMIZERS, SCHEDULES)))
def test_steps_of_every_optimizer_and_schedule_are_finite_and_shrink_a_kernel_to_its_aim(
    optimizer: str, schedule: str
) -> None:
    training = TrainingSpec(
        optimizer=optimizer, schedule=schedule, warmup=1, clip_norm=5, weight_decay=0.01
    )
    rule = optimizer_of(training, steps=40)
    params = {"layer": {"kernel": jnp.array([[1.0, -2.0], [0.0, 3.0]]), "bias": jnp.ones(2)}}
    state, first = rule.init(params), params
    for number in range(40):
        # Of the half squared distance from 0, and of nothing: an exact zero must not divide.
        gradients = jax.tree.map(lambda p, n=number: p * (n % 2), params)
        updates, state = rule.update(gradients, state, params)
        params = optax.apply_updates(params, updates)
        if number == 0:
            chex.assert_trees_all_equal(params, first)  # a warm-up begins at a rate of 0
    chex.assert_tree_all_finite((params, state))
    assert optax.tree_utils.tree_norm(params) < optax.tree_utils.tree_norm(first)
