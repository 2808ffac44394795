"""The studies of single choices: each is whole, starts, and says where its claims are from."""

import dataclasses
import functools
import importlib
import re
from typing import Any

import chex
import jax
import jax.numpy as jnp
import pytest

from cnn_ablation.design import DataSpec, TrainingSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.network import model
from cnn_ablation.study import Study, add_controls
from cnn_ablation.study.checks import check_study, same_designs
from cnn_ablation.study.plan import DatasetFacts, Plan
from cnn_ablation.training.state import Examples, TrainConfig
from cnn_ablation.training.steps import create_train_state, train_epoch

# What each study varies, of which the base is the notebook's network with 2x2 pooling.
STUDIES = {
    "activation": "activation",
    "amount_of_data": "train_fraction",
    "augmentation": "augment",
    "batch_size": "batch_size",
    "depth": "features",
    "depthwise": "groups",
    "dilation": "dilation",
    "dropout": "dropout",
    "head": "head",
    "initialization": "init",
    "label_smoothing": "label_smoothing",
    "learning_rate": "learning_rate",
    "normalization": "norm",
    "optimizer": "optimizer",
    "pooling_kind": "pool_kind",
    "residual": "residual",
    "schedule": "schedule",
    "width": "features",
}


def study_of(name: str) -> Study:
    study: Study = importlib.import_module(f"experiments.{name}").STUDY
    return study


def plan_of(study: Study) -> Plan:
    plan = Plan(study, TrainingSpec(), DataSpec(), "1", "0", "xla", (0, 1))
    others = {spec.data: DatasetFacts("1", "0") for spec in plan.designs if spec.data != plan.data}
    return dataclasses.replace(plan, other_datasets=others)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_whole_and_varies_its_choice(name: str) -> None:
    study = study_of(name)
    assert study.name == name
    check_study(study)
    plan = plan_of(add_controls(study))
    assert Plan.from_json(plan.to_json()) == plan
    assert not same_designs(plan)
    values = {str(spec.values().get(STUDIES[name])) for spec in plan_of(study).designs}
    assert len(values) > 1
    for question in study.questions:
        assert question.claims, "a question without a claim answers nothing"
        claimed = {x for claim in question.claims for pair in claim.contrasts for x in pair}
        assert claimed <= {variant.label for variant in question.variants}


@pytest.mark.parametrize("name", STUDIES)
def test_claims_have_a_source(name: str) -> None:
    words = importlib.import_module(f"cnn_ablation.studies.{name}").__doc__ or ""
    assert re.search(r"Claims?: .*\b(19|20)\d\d", words, re.DOTALL)
    assert f"cnn-ablation study {name}" in words


@pytest.mark.parametrize("name", STUDIES)
def test_facts_that_are_expected_are_so(name: str) -> None:
    study = study_of(name)
    for question in study.questions:
        networks = {variant.label: variant.network for variant in question.variants}
        for claim in (claim for claim in question.claims if claim.kind == "exact"):
            for pair in claim.contrasts:
                a, b = (getattr(summarize(networks[label]), claim.metric) for label in pair)
                assert (a > b) if claim.direction == "greater" else (a < b), (claim.name, pair)


@pytest.mark.parametrize("name", STUDIES)
def test_every_network_of_a_study_is_what_flax_makes_of_it(name: str) -> None:
    for network in dict.fromkeys(variant.network for variant in study_of(name).variants):
        variables = jax.eval_shape(lambda key, n=network: model.init(n, key), jax.random.key(0))
        assert model.num_params(variables["params"]) == summarize(network).params


@pytest.mark.parametrize("name", STUDIES)
def test_an_epoch_of_each_design_can_be_traced(name: str) -> None:
    number = jax.ShapeDtypeStruct((), jnp.int32)
    images_NHWC: Any = jax.ShapeDtypeStruct((64, 28, 28, 1), jnp.uint8)
    labels_N: Any = jax.ShapeDtypeStruct((64,), jnp.int32)
    for spec in plan_of(study_of(name)).designs:
        config = TrainConfig(spec.network, spec.training, "xla", steps=8, data=spec.data.drawn)
        create = functools.partial(create_train_state, config=config)
        epoch = functools.partial(train_epoch, config=config)
        state = jax.eval_shape(create, number)
        after, metrics = jax.eval_shape(
            epoch, state, Examples(images_NHWC, labels_N), number, number
        )
        chex.assert_trees_all_equal_shapes_and_dtypes(state, after)
        chex.assert_shape(metrics, ())
