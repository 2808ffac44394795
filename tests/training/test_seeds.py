"""Sources of randomness with seeds of their own: each moves what it is of, and nothing else."""

import dataclasses

import chex
import jax.numpy as jnp
import pytest

from cnn_ablation.data import Dataset, LabeledImages
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import FieldError
from cnn_ablation.network.model import Params
from cnn_ablation.training.compiled import compile_executables
from cnn_ablation.training.compute import ComputeOptions
from cnn_ablation.training.state import Examples, Seeds, TrainConfig
from cnn_ablation.training.steps import create_train_state, train_epoch
from cnn_ablation.training.trainer import Trainer, fit

NETWORK = NetworkSpec(features=2, stride=5, hidden=3, dropout=0.3)
SPEC = TrialSpec(
    NETWORK,
    TrainingSpec(epochs=2, augment="shift"),
    DataSpec(train_split="train[:256]", test_split="test[:200]", label_noise=0.2),
)
CONFIG = TrainConfig(NETWORK, SPEC.training, "xla", data=SPEC.data)
XLA = ComputeOptions(conv="xla")


def losses(spec: TrialSpec, dataset: Dataset, *seeds: int) -> list[list[float]]:
    trials = fit(spec, dataset, seeds, XLA)
    return [[epoch.train_loss for epoch in trial.record.epochs] for trial in trials]


def small(dataset: Dataset) -> Dataset:
    train, test = dataset.train, dataset.test
    return dataclasses.replace(
        dataset,
        train=LabeledImages(train.images_NHWC[:256], train.labels_N[:256]),
        test=LabeledImages(test.images_NHWC[:200], test.labels_N[:200]),
    )


def test_sources_of_one_seed_are_that_seed(mnist: Dataset) -> None:
    same = SPEC.replace(init_seed=7, order_seed=7, noise_seed=7)
    assert losses(same, small(mnist), 7) == losses(SPEC, small(mnist), 7)


@pytest.mark.parametrize("source", ["init_seed", "order_seed", "noise_seed"])
def test_each_source_moves_the_figures(source: str, mnist: Dataset) -> None:
    (plain,) = losses(SPEC, small(mnist), 7)
    (other,) = losses(SPEC.replace(**{source: 8}), small(mnist), 7)
    assert plain != other


def test_what_has_a_seed_of_its_own_does_not_follow_the_trials(mnist: Dataset) -> None:
    """Without label noise and dropout nothing is left that a trial's seed could move."""
    fixed = SPEC.replace(init_seed=1, order_seed=2, noise_seed=3, label_noise=0.0)
    one, two = losses(fixed, small(mnist), 10, 11)
    assert one == two


def test_initial_parameters_are_those_of_the_init_seed() -> None:
    plain = create_train_state(jnp.int32(4), CONFIG)
    seeds = Seeds.of(jnp.int32(9))._replace(init=jnp.int32(4))
    chex.assert_trees_all_equal(create_train_state(seeds, CONFIG).params, plain.params)


def test_the_order_is_that_of_the_order_seed(mnist: Dataset) -> None:
    quiet = CONFIG._replace(
        network=NETWORK.replace(dropout=0.0),
        training=SPEC.training.replace(augment=()),
        data=DataSpec(),
    )
    train = small(mnist).train
    examples = Examples(jnp.asarray(train.images_NHWC), jnp.asarray(train.labels_N))
    state = create_train_state(jnp.int32(0), quiet)

    def trained(order: int) -> Params:
        seeds = Seeds.of(jnp.int32(0))._replace(order=jnp.int32(order))
        return train_epoch(state, examples, seeds, jnp.int32(1), quiet)[0].params

    chex.assert_trees_all_equal(trained(3), trained(3))
    with pytest.raises(AssertionError):
        chex.assert_trees_all_equal(trained(3), trained(4))


def test_seeds_apart_share_their_programs(mnist: Dataset) -> None:
    Trainer(SPEC, small(mnist), XLA)
    compiled = compile_executables.cache_info().misses
    for seed in range(3):
        Trainer(SPEC.replace(init_seed=seed, order_seed=seed + 1), small(mnist), XLA)
    assert compile_executables.cache_info().misses == compiled


def test_identity() -> None:
    assert "init_seed" not in SPEC.to_json()["training"]
    ids = {
        SPEC.replace(**{n: s}).trial_id(0, "1") for n in ("init_seed", "order_seed") for s in (0, 1)
    }
    assert len(ids | {SPEC.trial_id(0, "1")}) == 5
    spec = SPEC.replace(noise_seed=5)
    assert TrialSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("value", [-1, 2**31, 0.5, "a"])
def test_a_seed_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(FieldError, match=r"order_seed.*must be a whole number from 0 to"):
        SPEC.replace(order_seed=value)
