"""What a seed draws of the training data: a share of it, wrong labels, statistics of its pixels."""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnn_ablation.data import Dataset
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import FieldError
from cnn_ablation.network import model
from cnn_ablation.stages import pixels
from cnn_ablation.training.compute import ComputeOptions
from cnn_ablation.training.drawing import draw_examples, draw_labels
from cnn_ablation.training.state import Examples, TrainConfig
from cnn_ablation.training.steps import create_train_state, evaluate, train_epoch
from cnn_ablation.training.trainer import fit

NETWORK = NetworkSpec(features=(2, 3), hidden=5, classes=4, image_shape=(8, 9, 2))
TRAINING = TrainingSpec(batch_size=16)
# Most of the time is XLA's compiling, which need not make these programs fast.
QUICK: dict[str, str | bool] = {"xla_backend_optimization_level": "0"}
epoch = jax.jit(train_epoch, static_argnums=4, compiler_options=QUICK)
create = jax.jit(create_train_state, static_argnums=1, compiler_options=QUICK)


def config_of(**data: Any) -> TrainConfig:
    return TrainConfig(NETWORK, TRAINING, "xla", data=DataSpec(**data))


def examples(count: int = 60) -> Examples:
    generator = np.random.default_rng(0)
    images_NHWC = generator.integers(0, 256, (count, 8, 9, 2), dtype=np.uint8)
    images_NHWC[..., 1] //= 4
    labels_N = generator.integers(0, 4, count)
    return Examples(jnp.asarray(images_NHWC), jnp.asarray(labels_N, jnp.int32))


def drawn(fraction: float, seed: int = 0, count: int = 1000) -> list[int]:
    config = config_of(train_fraction=fraction)
    found = draw_examples(jax.random.key(seed), count, config)
    assert found is not None
    return [int(index) for index in found]


def noisy(noise: float, seed: int = 0, count: int = 4000) -> np.ndarray:
    labels_N = jnp.arange(count) % 4
    found = draw_labels(jax.random.key(seed), labels_N, config_of(label_noise=noise))
    return np.asarray(found)


def test_a_smaller_share_of_the_images_lies_inside_a_larger_one() -> None:
    tenth, fifth, most = drawn(0.1), drawn(0.2), drawn(0.99)
    assert [len(tenth), len(fifth), len(most)] == [100, 200, 990]
    assert len(set(most)) == 990
    assert set(tenth) < set(fifth) < set(most) < set(range(1000))
    assert tenth == drawn(0.1)
    assert set(tenth) != set(drawn(0.1, seed=1))
    assert len(drawn(0.0001)) == 1
    assert draw_examples(jax.random.key(0), 5, config_of()) is None


def test_wrong_labels_are_as_many_as_asked_evenly_wrong_and_nested() -> None:
    right = np.arange(4000) % 4
    some, more = noisy(0.2), noisy(0.5)
    # The share's standard error is 0.006 and 0.008.
    assert (some != right).mean() == pytest.approx(0.2, abs=0.025)
    assert (more != right).mean() == pytest.approx(0.5, abs=0.035)
    assert (more[some != right] == some[some != right]).all()
    ahead = np.bincount((more - right) % 4, minlength=4)[1:]
    assert ahead.min() > 0.28 * ahead.sum(), "each of the other classes is as likely"
    np.testing.assert_array_equal(some, noisy(0.2))
    assert (noisy(0.2, seed=1) != some).any()
    np.testing.assert_array_equal(noisy(0), right)


def test_an_epoch_takes_the_drawn_images_once_each_and_always_the_same() -> None:
    config, data = config_of(train_fraction=0.3), examples()
    state = create(jnp.int32(5), config)
    chosen = draw_examples(jax.random.fold_in(jax.random.key(5), 3), 60, config)
    inside = jnp.zeros(60, bool).at[chosen].set(True)
    # Images that are not drawn may hold anything: the epoch does not see them.
    spoilt = data._replace(images_NHWC=jnp.where(inside[:, None, None, None], data.images_NHWC, 0))
    for number in (1, 2):
        after, metrics = epoch(state, data, jnp.int32(5), jnp.int32(number), config)
        assert int(metrics.examples) == 18
        same, _ = epoch(state, spoilt, jnp.int32(5), jnp.int32(number), config)
        chex.assert_trees_all_equal(after.params, same.params)
    other, _ = epoch(state, spoilt, jnp.int32(6), jnp.int32(2), config)
    assert not np.array_equal(after.params["conv_0"]["kernel"], other.params["conv_0"]["kernel"])


def test_only_training_labels_are_wrong() -> None:
    config, data = config_of(label_noise=0.5), examples()
    state = create(jnp.int32(5), config)
    key = jax.random.fold_in(jax.random.key(5), 4)
    wrong = data._replace(labels_N=draw_labels(key, data.labels_N, config))
    by_noise = epoch(state, data, jnp.int32(5), jnp.int32(1), config)
    by_labels = epoch(state, wrong, jnp.int32(5), jnp.int32(1), config_of())
    chex.assert_trees_all_equal(by_noise[0].params, by_labels[0].params)
    figures = [evaluate(state.variables, data, c) for c in (config, config_of())]
    assert float(figures[0].loss) == float(figures[1].loss)


@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_standardized_pixels_have_the_statistics_of_the_images_trained_on(fraction: float) -> None:
    config, data = config_of(input_norm="standardize", train_fraction=fraction), examples()
    state = create(jnp.int32(5), config)
    after, _ = epoch(state, data, jnp.int32(5), jnp.int32(1), config)
    chosen = draw_examples(jax.random.fold_in(jax.random.key(5), 3), 60, config)
    images = np.asarray(data.images_NHWC if chosen is None else data.images_NHWC[chosen])
    assert after.input_stats is not None
    np.testing.assert_allclose(after.input_stats["mean"], images.mean((0, 1, 2)) / 255, rtol=1e-5)
    np.testing.assert_allclose(after.input_stats["std"], images.std((0, 1, 2)) / 255, rtol=1e-5)
    seen = np.asarray(model.standardize(pixels.scale(jnp.asarray(images)), after.variables))
    np.testing.assert_allclose(seen.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(seen.std((0, 1, 2)), 1, rtol=1e-5)
    black = data._replace(images_NHWC=data.images_NHWC * 0)
    later, _ = epoch(after, black, jnp.int32(5), jnp.int32(2), config)
    chex.assert_trees_all_equal(later.input_stats, after.input_stats)


def test_a_standardized_network_is_applied_as_it_was_trained() -> None:
    data = examples()
    split = (np.asarray(data.images_NHWC), np.asarray(data.labels_N))
    dataset = Dataset.from_arrays("made", split, split)
    spec = TrialSpec(NETWORK, TRAINING, DataSpec(input_norm="standardize"))
    (trial,) = fit(spec, dataset, [3], ComputeOptions("xla"))
    logits_BK = np.asarray(model.apply(NETWORK, trial.variables, data.images_NHWC), np.float64)
    losses_B = np.log(np.exp(logits_BK).sum(-1)) - logits_BK[np.arange(60), split[1]]
    assert losses_B.mean() == pytest.approx(trial.record.epochs[-1].test_loss, rel=1e-5)


def test_by_hand_the_first_standardized_step_is_that_of_standardized_images() -> None:
    data = examples()
    pixels = np.asarray(data.images_NHWC) / 255
    standard = ((pixels - pixels.mean((0, 1, 2))) / pixels.std((0, 1, 2))).astype(np.float32)
    config = config_of(input_norm="standardize")
    state = create(jnp.int32(5), config)
    after, _ = epoch(state, data, jnp.int32(5), jnp.int32(1), config)
    plain = {"params": state.params}
    expected = model.apply(NETWORK, plain, jnp.asarray(standard))
    found = model.apply(NETWORK, {**plain, model.INPUT_STATS: after.input_stats}, data.images_NHWC)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_images_that_were_not_resized_are_refused() -> None:
    data = examples()
    split = (np.asarray(data.images_NHWC), np.asarray(data.labels_N))
    spec = TrialSpec(NETWORK, TRAINING, DataSpec(image_size=(4, 4)))
    with pytest.raises(FieldError, match="image_size=4: the images of made were not resized"):
        fit(spec, Dataset.from_arrays("made", split, split), [3])
