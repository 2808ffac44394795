"""Specs with some fields changed: depth, optimizers, and fields of any part."""

import dataclasses

import pytest

from cnn_ablation.design import NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import FieldError, InputError
from cnn_ablation.study import grid, one_axis


def test_depth_is_an_axis_like_any_other() -> None:
    variants = one_axis(NetworkSpec(stride=2), "features", ((8,), (8, 16), (4, 8, 16)))
    assert [v.network.features for v in variants] == [(8,), (8, 16), (4, 8, 16)]
    assert [v.network.stride for v in variants] == [(2,), (2, 2), (2, 2, 2)]
    assert dataclasses.replace(NetworkSpec(), features=(1, 2, 3)).kernel_size == (3, 3, 3)


def test_values_that_were_given_for_each_block_do_not_fit_another_depth() -> None:
    base = NetworkSpec(kernel_size=(3, 5))
    with pytest.raises(FieldError, match="features=8: is 1 blocks where kernel_size has 2 values"):
        one_axis(base, "features", ((8,),))
    with pytest.raises(FieldError, match="kernel_size=3,5: has 2 values where features has 3"):
        base.replace(features=(1, 2, 3))
    assert base.replace(features=(1, 2, 3), kernel_size=7).kernel_size == (7, 7, 7)


def test_a_stored_network_is_one_value_for_all_blocks_again() -> None:
    read = NetworkSpec.from_json(NetworkSpec(stride=2).to_json())
    assert read.replace(features=(4, 4, 4)).stride == (2, 2, 2)


def test_another_optimizer_brings_its_own_options_and_rate() -> None:
    adam = TrainingSpec(rho=0.9).replace(optimizer="adam")
    assert (adam.optimizer.name, adam.learning_rate, adam.beta_1) == ("adam", 0.001, 0.9)
    assert "rho" not in adam.to_json()
    chosen = TrainingSpec(learning_rate=0.3).replace(optimizer="sgd", momentum=0.9)
    assert (chosen.learning_rate, chosen.momentum) == (0.3, 0.9)
    assert chosen.replace(epochs=5).momentum == 0.9
    assert dataclasses.replace(chosen, epochs=5) == chosen.replace(epochs=5)


def test_an_option_that_means_nothing_is_refused_in_one_line() -> None:
    with pytest.raises(FieldError, match=r"momentum=0.9: means nothing with optimizer=adadelta"):
        TrainingSpec(momentum=0.9)
    with pytest.raises(FieldError, match="epoch=3: not a field of the training; did you mean"):
        TrainingSpec(epoch=3)
    with pytest.raises(FieldError, match=r"momentum=1\.5: must be a number from 0 to below 1"):
        TrainingSpec(optimizer="sgd", momentum=1.5)
    with pytest.raises(
        FieldError, match="optimizer=sgdd: must be adadelta, sgd, adam, adamw, rmsprop or lion"
    ):
        TrainingSpec(optimizer="sgdd")


def test_an_axis_may_be_of_training_or_data() -> None:
    base = NetworkSpec(stride=2)
    product = grid(
        base, {"optimizer": ("sgd", "adam"), "train_split": ("train[:10%]",), "pool": (1,)}
    )
    assert [v.label for v in product] == [
        "optimizer=sgd train_split=train[:10%] pool=1",
        "optimizer=adam train_split=train[:10%] pool=1",
    ]
    specs = [v.spec(TrainingSpec(epochs=3), TrialSpec().data) for v in product]
    assert [s.training.optimizer.name for s in specs] == ["sgd", "adam"]
    assert {s.training.epochs for s in specs} == {3}
    assert {s.data.train_split for s in specs} == {"train[:10%]"}
    with pytest.raises(InputError, match=r"epoch: not a field of .* did you mean epochs"):
        grid(base, {"epoch": (1,)})
