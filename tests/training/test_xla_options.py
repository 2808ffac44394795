"""Options of XLA's: they change no bit, and are left out where they would."""

import functools
from typing import Any

import chex
import jax
import numpy as np
import pytest
from jax.stages import Lowered

from cnn_ablation.data import Dataset
from cnn_ablation.design import NetworkSpec, TrialSpec
from cnn_ablation.training import steps
from cnn_ablation.training.state import Examples
from cnn_ablation.training.trainer import train_config
from cnn_ablation.training.xla_options import (
    SOONER,
    SOONEST,
    compile_with,
    options_for_creating,
    options_for_epochs,
)

pytest_plugins = ["convolution_fixtures"]


def config_of(lowering: str = "native", **network: Any) -> Any:
    return train_config(TrialSpec(NetworkSpec(**network)), 1000, lowering)


@pytest.mark.parametrize("init", ["glorot_uniform", "he_normal"])
def test_initial_parameters_are_the_same_to_the_bit(init: str) -> None:
    config = config_of(init=init, stride=3)
    create = functools.partial(steps.create_train_state, config=config)
    lowered = jax.jit(create).lower(np.int32(0))
    options = options_for_creating(config, "cpu")
    assert options
    chex.assert_trees_all_equal(
        compile_with(lowered, options)(np.int32(7)), lowered.compile()(np.int32(7))
    )


@pytest.mark.usefixtures("native")
def test_an_epoch_is_the_same_to_the_bit(small_mnist: Dataset) -> None:
    config = config_of(stride=4)
    split = small_mnist.train
    images_NHWC, labels_N = split.images_NHWC[:300], split.labels_N[:300]
    examples = Examples(jax.device_put(images_NHWC), jax.device_put(labels_N))
    state = jax.jit(functools.partial(steps.create_train_state, config=config))(np.int32(1))
    train = functools.partial(steps.train_epoch, config=config)
    lowered = jax.jit(train).lower(state, examples, np.int32(1), np.int32(1))
    options = options_for_epochs(config, "cpu")
    assert options
    arguments = (state, examples, np.int32(1), np.int32(1))
    chex.assert_trees_all_equal(
        compile_with(lowered, options)(*arguments), lowered.compile()(*arguments)
    )


def test_what_they_would_change_does_without() -> None:
    assert options_for_epochs(config_of(), "cpu") == SOONER
    assert options_for_creating(config_of(), "cpu") == SOONEST
    assert options_for_epochs(config_of(norm=("none", "group")), "cpu") == {}
    assert options_for_epochs(config_of("banded"), "cpu") == {}
    assert options_for_epochs(config_of(), "gpu") == options_for_creating(config_of(), "gpu") == {}
    assert options_for_creating(config_of(init="he_normal"), "cpu") == SOONER


def test_an_option_that_xla_does_not_know_is_left_out() -> None:
    lowered: Lowered = jax.jit(lambda x: x + 1).lower(np.float32(0))
    assert compile_with(lowered, {"xla_of_another_day": True})(np.float32(2)) == 3
