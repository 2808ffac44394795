"""Mistakes in a declaration are found before anything is trained, and stored strays are named."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from cnn_ablation.claims import Claim
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.study import Question, Study, Variant, one_axis
from cnn_ablation.study.checks import check_study, same_designs
from cnn_ablation.study.plan import DatasetFacts, Plan
from cnn_ablation.study.store import TRIALS, Store, load_results
from cnn_ablation.study.verdicts import setting_of
from cnn_ablation.system.stored import seal
from cnn_ablation.training.records import EpochRecord, TrialRecord

BASE = NetworkSpec(stride=2)
CLAIM = Claim("wider", "width", "wider is better", "test_accuracy", (("hidden=64", "hidden=32"),))


def study(claim: Claim = CLAIM, *more: Claim) -> Study:
    variants = one_axis(BASE, "hidden", (32, 64))
    return Study("wide", "Wide?", (Question("width", "Width", variants, (claim, *more)),))


def plan(declared: Study | None = None, **changes: Any) -> Plan:
    own = Plan(declared or study(), TrainingSpec(), DataSpec(), "3.0.1", "f" * 16, "xla", (0, 1))
    return dataclasses.replace(own, **changes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"contrasts": (("hidden=46", "hidden=32"),)}, "did you mean hidden=64?"),
        ({"metric": "test_acuracy"}, "metric='test_acuracy': must be .*did you mean test_accuracy"),
        ({"question": "wdith"}, "question='wdith': must be 'width'"),
        ({"metric": "train_seconds"}, "kind='paired': must be 'timing'"),
        ({"metric": "params"}, "kind='paired': must be 'exact'"),
    ],
)
def test_a_claim_that_can_never_be_judged_is_named(changes: dict[str, Any], says: str) -> None:
    check_study(study())
    with pytest.raises(InputError, match=says) as why:
        check_study(study(dataclasses.replace(CLAIM, **changes)))
    assert str(why.value).startswith("study wide, question width, claim wider: ")
    assert "\n" not in str(why.value)


def test_two_claims_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match="two claims are called 'wider'"):
        check_study(study(CLAIM, dataclasses.replace(CLAIM, text="again")))


def test_a_forgotten_comma_is_said_in_words() -> None:
    question = study().questions[0]
    with pytest.raises(InputError, match=r"study s: questions must be several Question; .* comma"):
        Study("s", "S", question)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"question q: claims must be several Claim; .* comma"):
        Question("q", "Q", question.variants, CLAIM)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="question q: variants must hold Variant alone, not 3"):
        Question("q", "Q", (3,))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a/b", "../up", "", ".hidden", "two words"])
def test_a_studys_name_is_one_folders_name(name: str) -> None:
    with pytest.raises(InputError, match="a name is letters, digits"):
        Study(name, "S", ())


def test_a_variant_that_sets_what_there_is_not_is_named() -> None:
    with pytest.raises(InputError, match="variant v: training sets epoch, which is not a field"):
        Variant("v", BASE, training={"epoch": 3})
    with pytest.raises(InputError, match="epochs=0: must be a whole number of 1 or more"):
        Variant("v", BASE, training={"epochs": 0})
    with pytest.raises(InputError, match=r"variant v: momentum=0\.9: means nothing"):
        Variant("v", BASE, training={"momentum": 0.9}).spec(TrainingSpec(), DataSpec())


def test_one_design_under_two_labels_is_said() -> None:
    variants = (Variant("a", BASE), Variant("b", BASE, training={"epochs": 2}))
    twice = plan(Study("s", "S", (Question("q", "Q", variants),)))
    assert same_designs(twice) == ["question q: a and b are one design; it is trained once"]
    assert same_designs(plan()) == []


def record(spec: TrialSpec, seed: int) -> TrialRecord:
    epochs = (EpochRecord(n, 0.5, 0.8, 0.4, 0.9, 1.0, 0.1) for n in (1, 2))
    return TrialRecord(spec, seed, "completed", tuple(epochs))


def strays(folder: Path, declared: Plan) -> list[str]:
    with Store(folder, declared) as store:
        return store.strays


def test_stored_trials_that_are_of_no_use_are_counted_and_named(tmp_path: Path) -> None:
    with Store(tmp_path, plan()) as store:
        for spec, seed in plan().trials():
            store.add_trial(record(spec, seed))
        assert store.strays == []
    assert strays(tmp_path, plan(seeds=(0,))) == [
        "2 stored trials are kept and not used: of seeds that were not asked for"
    ]
    (other,) = (Question("width", "Width", one_axis(BASE, "hidden", (32,))),)
    assert strays(tmp_path, plan(Study("wide", "Wide?", (other,)))) == [
        "2 stored trials are kept and not used: of a design that the study does not declare: "
        "stride2-hidden64"
    ]
    assert len(load_results(tmp_path).trials) == 2
    assert len((tmp_path / TRIALS).read_text().splitlines()) == 4


def of(line: dict[str, Any], version: str = "3.0.1", **changes: Any) -> None:
    spec = TrialSpec.from_json(line["spec"]).replace(**changes)
    line.update(spec=spec.to_json(), dataset_version=version, trial_id=spec.trial_id(0, version))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda line: of(line, "3.1.0"), "of hidden=32, on another version of its dataset"),
        (lambda line: of(line, rho=0.9), "in another setting: rho=0.9"),
        (lambda line: line["spec"]["network"].update(wobble=1), "cannot be read .*newer version"),
        (lambda line: line.pop("spec"), "its spec cannot be read"),
    ],
)
def test_a_stray_line_says_why(change: Any, says: str, tmp_path: Path) -> None:
    with Store(tmp_path, plan()) as store:
        store.add_trial(record(plan().designs[0], 0))
    line = json.loads((tmp_path / TRIALS).read_text())
    del line["checksum"]
    line["trial_id"] = "f" * 16
    change(line)
    (tmp_path / TRIALS).write_text(json.dumps(seal(line)) + "\n")
    (said,) = strays(tmp_path, plan())
    assert said.startswith("1 stored trial is kept and not used: ")
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(said)


def test_the_setting_says_all_that_was_not_as_usual() -> None:
    usual = str(setting_of(plan()))
    assert usual == "mnist, 2 epochs, Adadelta at learning rate 1, batches of 128"
    training = TrainingSpec(optimizer="sgd", momentum=0.9, schedule="cosine", batch_size=32)
    data = DataSpec(train_split="train[:2000]")
    assert str(setting_of(plan(training=training, data=data))) == (
        "mnist (train[:2000] to train, test to test), 2 epochs, SGD at learning rate 0.01, "
        "batches of 32, momentum 0.9, schedule cosine"
    )
    variants = one_axis(BASE, "optimizer", ("sgd", "adam"))
    own = plan(Study("s", "S", (Question("q", "Q", variants),)))
    assert str(setting_of(own)).endswith(
        "batches of 128, variants set optimizer: sgd, adam, variants set learning_rate: 0.01, 0.001"
    )


def test_a_plan_of_variants_that_change_training_and_data_survives_json() -> None:
    variants = (
        *one_axis(BASE, "optimizer", ("sgd", "adam")),
        Variant("few", BASE, data={"train_split": "train[:10%]"}),
    )
    few = {DataSpec(train_split="train[:10%]"): DatasetFacts("3.0.1", "e" * 16)}
    declared = plan(
        Study("s", "S", (Question("q", "Q", variants),)),
        extensions={"norm x": "ab"},
        other_datasets=few,
    )
    read = Plan.from_json(json.loads(json.dumps(declared.to_json())))
    assert read == declared
    assert read.designs == declared.designs
    with pytest.raises(InputError, match=r"schema version 2: must be 1; version .* is older"):
        Plan.from_json({**declared.to_json(), "schema_version": 2})


def test_another_definition_of_a_users_choice_is_another_study() -> None:
    before, after = plan(extensions={"norm x": "ab"}), plan(extensions={"norm x": "cd"})
    assert after.differs_from(before) == "another definition of the norm x"
    assert plan().differs_from(plan()) is None
