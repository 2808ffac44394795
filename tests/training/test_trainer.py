"""Whole trials on real MNIST: they learn, they repeat, seeds are alone."""

import dataclasses
import math

import chex
import jax.numpy as jnp
import numpy as np
import pytest

from cnn_ablation.data import Dataset
from cnn_ablation.design import NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import FieldError, InputError
from cnn_ablation.network.model import apply
from cnn_ablation.system.correctness import Correctness
from cnn_ablation.training import trainer
from cnn_ablation.training.compiled import compile_executables
from cnn_ablation.training.records import EpochRecord, TrialRecord

SPEC = TrialSpec(NetworkSpec(stride=2), TrainingSpec(epochs=2))


def figures(record: TrialRecord) -> list[tuple[float, ...]]:
    return [(e.train_loss, e.train_accuracy, e.test_loss, e.test_accuracy) for e in record.epochs]


@pytest.fixture(scope="module")
def trials(small_mnist: Dataset) -> list[trainer.TrainedTrial]:
    return trainer.fit(SPEC, small_mnist, seeds=[3, 4])


def test_real_mnist_is_learnt(mnist: Dataset) -> None:
    heard: list[tuple[int, EpochRecord]] = []
    spec = dataclasses.replace(SPEC, training=TrainingSpec(epochs=1))
    (trial,) = trainer.fit(
        spec, mnist, seeds=[0], on_epoch=lambda seed, record: heard.append((seed, record))
    )
    (epoch,) = trial.record.epochs
    assert trial.record.status == "completed"
    assert epoch.test_accuracy > 0.93
    assert epoch.train_accuracy > 0.8
    assert epoch.test_loss < 0.25
    assert heard == [(0, epoch)]


def test_a_seed_among_others_is_a_seed_alone_to_the_bit(
    small_mnist: Dataset, trials: list[trainer.TrainedTrial]
) -> None:
    (alone,) = trainer.fit(SPEC, small_mnist, seeds=[4])
    assert figures(alone.record) == figures(trials[1].record)
    chex.assert_trees_all_equal(alone.params, trials[1].params)


def test_seeds_differ(trials: list[trainer.TrainedTrial]) -> None:
    assert figures(trials[0].record) != figures(trials[1].record)


def test_nothing_is_compiled_twice(
    small_mnist: Dataset, trials: list[trainer.TrainedTrial]
) -> None:
    before = compile_executables.cache_info()
    longer = dataclasses.replace(SPEC, training=TrainingSpec(epochs=3))
    trainer.Trainer(longer, small_mnist)
    after = compile_executables.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)


def test_a_loss_that_is_not_finite_ends_as_diverged(small_mnist: Dataset) -> None:
    spec = dataclasses.replace(SPEC, training=TrainingSpec(learning_rate=1e30))
    (trial,) = trainer.fit(spec, small_mnist, seeds=[0])
    assert trial.record.status == "diverged"
    assert all(math.isfinite(value) for epoch in figures(trial.record) for value in epoch)
    assert len(trial.record.epochs) < 2
    assert trial.record.test_correct is None


def test_accuracies_are_counts_over_the_whole_split(trials: list[trainer.TrainedTrial]) -> None:
    for trial in trials:
        for epoch in trial.record.epochs:
            assert (epoch.test_accuracy * 1000) == pytest.approx(round(epoch.test_accuracy * 1000))
            assert (epoch.train_accuracy * 6000) == pytest.approx(
                round(epoch.train_accuracy * 6000)
            )


def test_each_trial_keeps_which_images_it_got_right(
    small_mnist: Dataset, trials: list[trainer.TrainedTrial]
) -> None:
    for trial in trials:
        logits_NK = apply(SPEC.network, trial.variables, jnp.asarray(small_mnist.test.images_NHWC))
        right_N = np.argmax(logits_NK, axis=-1) == small_mnist.test.labels_N
        correct = trial.record.test_correct
        assert correct is not None
        assert correct.bits().tolist() == right_N.tolist()
        assert correct.count / 1000 == trial.record.epochs[-1].test_accuracy


def test_a_trial_whose_bits_are_not_its_accuracy_is_refused(
    trials: list[trainer.TrainedTrial],
) -> None:
    record = trials[0].record
    others = Correctness.of(np.zeros(1000, np.bool_)).to_json()
    with pytest.raises(InputError, match="test_correct has 0 of 1000 bits set, test_accuracy is"):
        TrialRecord.from_json({**record.to_json(), **others})
    without = {k: v for k, v in record.to_json().items() if not k.startswith("test_")}
    assert TrialRecord.from_json(without) == dataclasses.replace(record, test_correct=None)


def test_a_spec_of_another_image_shape_is_refused(small_mnist: Dataset) -> None:
    spec = TrialSpec(NetworkSpec(image_shape=(32, 32, 3)))
    with pytest.raises(FieldError, match=r"image_shape=32,32,3: must be \(28, 28, 1\)"):
        trainer.fit(spec, small_mnist, seeds=[0])
    with pytest.raises(FieldError, match="classes=7: must be 10"):
        trainer.fit(TrialSpec(NetworkSpec(classes=7)), small_mnist, seeds=[0])


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5])
def test_what_is_no_seed_is_refused(small_mnist: Dataset, seed: int) -> None:
    with pytest.raises(InputError, match=r"^seed="):
        trainer.fit(SPEC, small_mnist, seeds=[seed])


def test_records_survive_json(trials: list[trainer.TrainedTrial]) -> None:
    record = trials[0].record
    assert TrialRecord.from_json(record.to_json()) == record


def test_parameters_come_back_as_arrays(trials: list[trainer.TrainedTrial]) -> None:
    kernel = np.asarray(trials[0].params["conv_0"]["kernel"])
    chex.assert_shape(kernel, (3, 3, 1, 8))
    chex.assert_tree_all_finite(trials[0].params)
