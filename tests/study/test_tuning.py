"""Tuning: what is chosen of a grid, how it is extended, and that all of it follows from trials."""

import dataclasses
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import small_study

from cnn_ablation.claims import Claim
from cnn_ablation.design import MAX_SEED, TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.inference import SequentialDesign
from cnn_ablation.study import Question, Study, Tuning, add_arms, one_axis
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.resolving import Find, require_tunable, resolve
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.sequence import foreseen_trials, missing_trials
from cnn_ablation.study.store import TRIALS, Store, load_results
from cnn_ablation.study.tuning import FIRST_SEED, Choice, choose, extended
from cnn_ablation.study.tuning_words import chosen_words, tuning_plan
from cnn_ablation.study.verdicts import judge_results
from cnn_ablation.training.records import EpochRecord, Status, TrialRecord

RATES = Tuning("learning_rate", (0.1, 0.3, 1.0), seeds=2, once=True)
EACH = Tuning("learning_rate", (0.1, 0.3, 1.0))
LATER = Claim("later", "width", "wider is better", "test_accuracy", (("hidden=6", "hidden=4"),))
Loss = Callable[[TrialSpec, int], float | None]


def plan(tuning: Tuning | None = RATES, seeds: int = 6, **changes: Any) -> Plan:
    variants = one_axis(small_study.BASE, "hidden", (4, 6))
    study = Study("small", "Width?", (Question("width", "Width", variants, (LATER,)),))
    fields: dict[str, Any] = {
        "study": add_arms(study, ("tuned",) if tuning else ()),
        "training": dataclasses.replace(small_study.TRAINING, epochs=1),
        "data": small_study.DATA,
        "dataset_version": "3.0.1",
        "fingerprint": "0123",
        "lowering": "xla",
        "seeds": tuple(range(seeds)),
        "environment": {"device": "cpu"},
        "tuning": tuning,
    }
    return Plan(**fields | changes)


def optimum_at(**best: float) -> Loss:
    """A loss that is least at a rate of each width: `optimum_at(four=0.3, six=1.0)`."""
    of_width = {4: best["four"], 6: best["six"]}

    def loss(spec: TrialSpec, seed: int) -> float:
        away = math.log(spec.training.learning_rate / of_width[spec.network.hidden_layers[0]])
        return 1.0 + away**2 + (seed % 7) / 1000

    return loss


def trial(spec: TrialSpec, seed: int, loss: float | None) -> TrialRecord:
    if loss is None:
        return TrialRecord(spec, seed, "diverged")
    accuracy = round(math.exp(-loss), 4)
    epoch = EpochRecord(1, loss, accuracy, loss, accuracy, 1.0, 0.1)
    return TrialRecord(spec, seed, "completed", (epoch,))


def world(loss: Loss) -> Find:
    """A world in which every trial is there."""
    return lambda spec, seed: trial(spec, seed, loss(spec, seed))


def chosen(of: Plan, loss: Loss) -> dict[str, Any]:
    _, tuning = resolve(of, world(loss))
    assert tuning is not None
    return {tuned.label: only(tuned.chosen) for tuned in tuning.variants}


def only(chosen: dict[Any, int]) -> Any:
    (value,) = chosen
    return value


def run(folder: Path, of: Plan, loss: Loss, most: int = 10_000) -> StudyResults:
    """What the session does: trains what is missing until nothing is, or so many trials."""
    with Store(folder, of) as store:
        while (missing := missing_trials(store.results())) and most:
            for spec, seed in missing[:most]:
                store.add_trial(trial(spec, seed, loss(spec, seed)))
            most -= len(missing[:most])
        return store.results()


def test_a_planted_optimum_is_found_for_each_variant() -> None:
    found = chosen(plan(), optimum_at(four=0.3, six=0.1))
    assert found == {"hidden=4 (tuned)": 0.3, "hidden=6 (tuned)": 0.1}
    by_accuracy = dataclasses.replace(RATES, by="accuracy")
    assert chosen(plan(by_accuracy), optimum_at(four=0.3, six=0.3)) == {
        "hidden=4 (tuned)": 0.3,
        "hidden=6 (tuned)": 0.3,
    }


def test_an_optimum_beyond_the_grid_is_found_by_extending_it_for_all() -> None:
    resolved, tuning = resolve(plan(), world(optimum_at(four=3.0, six=0.3)))
    assert tuning is not None
    assert tuning.extensions == (3.33, 11.1)
    assert [len(tuned.attempts) for tuned in tuning.variants] == [5, 5], "the same grid"
    assert [only(tuned.chosen) for tuned in tuning.variants] == [3.33, 0.3]
    assert not any(tuned.edge for tuned in tuning.variants)
    assert not resolved.open_variants
    assert "extended by 3.33, 11.1" in chosen_words(tuning)


def test_an_extension_is_bounded_and_the_edge_is_said() -> None:
    once = dataclasses.replace(RATES, extensions=1)
    _, tuning = resolve(plan(once), world(optimum_at(four=1e-9, six=0.3)))
    assert tuning is not None
    assert tuning.extensions == (0.0333,)
    assert [tuned.edge for tuned in tuning.variants] == [-1, 0]
    assert "hidden=4 (tuned): 0.0333, the lowest tried" in chosen_words(tuning)


@pytest.mark.parametrize(
    ("field", "values", "edges", "more"),
    [
        ("learning_rate", (0.1, 1.0), {1}, (10.0,)),
        ("learning_rate", (1.0, 0.1), {-1, 1}, (0.01, 10.0)),
        ("learning_rate", (0.1, 1.0), {0}, ()),
        ("batch_size", (32, 128), {-1, 1}, (8, 512)),
        ("batch_size", (1, 2), {-1}, ()),  # half an image
        ("label_smoothing", (0.1, 0.5), {1}, ()),  # 2.5 is no share
        ("weight_decay", (0.0, 0.1), {1}, ()),  # no ratio to go on by
        ("optimizer", ("adam", "sgd"), {1}, ()),  # no order
    ],
)
def test_a_grid_goes_on_by_its_ratio_as_far_as_the_field_allows(
    field: str, values: tuple[Any, ...], edges: set[int], more: tuple[Any, ...]
) -> None:
    assert extended(Tuning(field, values), values, edges) == (*values, *more)


def test_of_equal_values_the_nearest_to_the_default_is_chosen() -> None:
    grid = (0.1, 0.3, 1.0, 3.0)
    tied = dict.fromkeys(grid, 1.0)
    assert choose(RATES, grid, tied, 0.3) == Choice(0.3, 0)
    assert choose(RATES, grid, tied | {0.3: 2.0}, 0.3).value == 0.1, "a factor of 3, not 3.3"
    assert choose(RATES, grid, tied, 50.0) == Choice(3.0, 1)
    named = Tuning("optimizer", ("adam", "sgd", "lion"))
    assert choose(named, named.values, dict.fromkeys(named.values, 1.0), "lion").value == "lion"
    assert choose(named, named.values, dict.fromkeys(named.values, 1.0), "adadelta").value == "adam"


def test_a_value_at_which_a_trial_diverged_is_not_chosen() -> None:
    def loss(spec: TrialSpec, seed: int) -> float | None:
        if spec.training.learning_rate == 0.3 and seed == FIRST_SEED + 1:
            return None
        return optimum_at(four=0.3, six=0.3)(spec, seed)

    assert set(chosen(plan(), loss).values()) == {0.1}, "the next best"
    nothing = chosen(plan(), lambda spec, seed: None)
    assert set(nothing.values()) == {1.0}, "as given, and the grid is not extended"


def test_it_is_open_while_a_trial_is_missing_or_failed() -> None:
    loss = optimum_at(four=0.3, six=0.3)
    lost: Status = "failed"

    def find(spec: TrialSpec, seed: int) -> TrialRecord | None:
        if spec.training.learning_rate == 0.1 and spec.network.hidden_layers[0] == 4:
            return TrialRecord(spec, seed, lost, error="out of luck")
        return trial(spec, seed, loss(spec, seed))

    resolved, tuning = resolve(plan(), find)
    assert tuning is not None
    assert [variant.label for variant in resolved.open_variants] == ["hidden=4 (tuned)"]
    results = StudyResults(resolved, (), (), None, tuning)
    again = missing_trials(results, retry_failed=True)
    assert [(s.training.learning_rate, seed) for s, seed in again] == [
        (0.1, FIRST_SEED),
        (0.1, FIRST_SEED + 1),
    ]
    assert {spec.data.validation for spec, _ in missing_trials(results)} == {0.0}
    verdicts = {v.claim.name: v for v in judge_results(results)}
    assert verdicts["later-tuned"].outcome == "not judged"


def test_tuning_comes_first_and_its_trials_are_none_of_the_results(tmp_path: Path) -> None:
    loss = optimum_at(four=0.3, six=1.0)
    first = missing_trials(run(tmp_path / "a", plan(), loss, most=0))
    assert len(first) == 2 * 3 * 2
    assert {(spec.data.validation, seed >= FIRST_SEED) for spec, seed in first} == {(0.2, True)}
    foreseen = foreseen_trials(run(tmp_path / "a", plan(), loss, most=0))
    assert len(foreseen) == 12 + 2 * 6 + 2 * 6
    results = run(tmp_path / "a", plan(), loss)
    assert results.tuning is not None
    assert len(results.tuning.trials) == 2 * 4 * 2, "3.33 was tried too"
    # hidden=6 is best as given: its tuned trials are those that are there already.
    assert len(results.trials) == 3 * 6
    assert all(not trial.spec.data.validation for trial in results.trials)
    tuned = results.study.questions[0].variants[2]
    assert tuned.training == {"learning_rate": 0.3}
    assert {t.spec.training.learning_rate for t in results.trials_of(tuned)} == {0.3}


def by_seed(spec: TrialSpec, seed: int) -> float:
    """A loss whose best rate is another at each seed of tuning: 0.3 at even ones, 0.1 at odd."""
    best = 0.3 if seed % 2 == 0 else 0.1
    width = spec.network.hidden_layers[0] / 1000
    return 1.0 + math.log(spec.training.learning_rate / best) ** 2 + width + (seed % 7) / 1000


def test_each_seed_is_tuned_by_itself_with_seeds_of_its_own(tmp_path: Path) -> None:
    first = missing_trials(run(tmp_path, plan(EACH), by_seed, most=0))
    assert sorted({seed for _, seed in first}) == [FIRST_SEED + seed for seed in range(6)]
    results = run(tmp_path, plan(EACH), by_seed)
    assert results.tuning is not None
    assert [tuned.chosen for tuned in results.tuning.variants] == [{0.1: 3, 0.3: 3}] * 2
    tuned = results.study.questions[0].variants[2]
    rates = [trial.spec.training.learning_rate for trial in results.trials_of(tuned)]
    assert rates == [0.3, 0.1] * 3
    # Each trial is shown under what it is at its seed, and no more are trained than that.
    assert len(results.trials) == 4 * 6
    labels = {results.plan.all_labels(trial.spec, trial.seed) for trial in results.trials}
    assert labels == {f"width: hidden={w}{t}" for w in (4, 6) for t in ("", " (tuned)")}
    with Store(tmp_path, plan(EACH)) as store:
        assert store.strays == []
    assert "hidden=4 (tuned): 0.1 (3 seeds), 0.3 (3 seeds)" in chosen_words(results.tuning)


def test_a_trial_that_two_variants_share_at_one_seed_counts_for_each_there(tmp_path: Path) -> None:
    def loss(spec: TrialSpec, seed: int) -> float:
        best = 1.0 if seed % 2 == 0 else 0.3
        return 1.0 + math.log(spec.training.learning_rate / best) ** 2

    results = run(tmp_path, plan(dataclasses.replace(EACH, extensions=0)), loss)
    assert len(results.trials) == (6 + 3) * 2, "at even seeds as given is best"
    given, tuned = (results.study.questions[0].variants[n] for n in (0, 2))
    shared = {t.seed for t in results.trials_of(given) if t in results.trials_of(tuned)}
    assert shared == {0, 2, 4}
    spec = results.plan.spec(given)
    assert results.plan.all_labels(spec, 0) == "width: hidden=4; width: hidden=4 (tuned)"
    assert results.plan.all_labels(spec, 1) == "width: hidden=4"


def test_in_a_sequential_study_later_seeds_are_tuned_when_they_are_needed(tmp_path: Path) -> None:
    of = plan(EACH, seeds=8, schedule=SequentialDesign((4, 8)))
    first = run(tmp_path, of, by_seed, most=2 * 3 * 4).study.questions[0].variants[2]
    assert sorted(first.at_seeds) == [0, 1, 2, 3], "nothing is known of the others"
    results = run(tmp_path, of, by_seed)
    tuned = results.study.questions[0].variants[2]
    assert len(results.trials_of(tuned)) == 8, "open at the first look"
    assert results.tuning is not None
    assert {t.seed - FIRST_SEED for t in results.tuning.trials} == set(range(8))
    assert missing_trials(results) == []


@pytest.mark.parametrize("tuning", [RATES, EACH])
@pytest.mark.parametrize("schedule", [None, SequentialDesign((4, 6))])
def test_a_study_that_was_stopped_anywhere_chooses_and_trains_the_same(
    tmp_path: Path, schedule: SequentialDesign | None, tuning: Tuning
) -> None:
    loss = optimum_at(four=3.0, six=1.0) if tuning.once else by_seed
    of = plan(tuning, schedule=schedule)
    whole = run(tmp_path / "whole", of, loss)
    for stop in (1, 12, 27):
        folder = tmp_path / f"stopped-{stop}"
        run(folder, of, loss, most=stop)
        # The last line may be torn off.
        lines = (folder / TRIALS).read_bytes()
        (folder / TRIALS).write_bytes(lines[:-9])
        again = run(folder, of, loss)
        assert again.trials == whole.trials
        assert again.tuning == whole.tuning
        assert load_results(folder).plan.study == whole.plan.study


def test_what_is_tuned_is_no_stray_and_says_what_it_is(tmp_path: Path) -> None:
    run(tmp_path, plan(), optimum_at(four=0.3, six=1.0))
    with Store(tmp_path, plan()) as store:
        assert store.strays == []
    lines = [json.loads(line) for line in (tmp_path / TRIALS).read_text().splitlines()]
    assert lines[0]["variant"] == ["width: hidden=4 (tuned) learning_rate=0.1"]
    assert lines[-1]["variant"] in (["width: hidden=4 (tuned)"], ["width: hidden=6 (tuned)"])
    with Store(tmp_path, plan(None)) as store:
        kept = " ".join(store.strays)
    assert "kept and not used" in kept and "validation=0.2" in kept


def test_the_tuning_is_declared_before_the_first_trial(tmp_path: Path) -> None:
    run(tmp_path, plan(), optimum_at(four=0.3, six=1.0))
    other = dataclasses.replace(RATES, values=(0.1, 0.3, 1.0, 2.0))
    results = run(tmp_path, plan(other), optimum_at(four=0.3, six=1.0))
    reasons = {v.claim.name: v.exploratory for v in judge_results(results)}
    assert reasons["later"] == ()
    for name in ("later-tuned", "later-by-tuning"):
        assert reasons[name] == (f"another tuning was declared: {RATES}",)
    again = run(tmp_path, plan(), optimum_at(four=0.3, six=1.0))
    assert not any(v.exploratory for v in judge_results(again))


def test_a_plan_goes_to_json_and_back_as_it_was_declared() -> None:
    document = json.loads(json.dumps(plan().to_json(), allow_nan=False))
    assert Plan.from_json(document) == plan()
    old = json.loads(json.dumps(plan(None).to_json()))
    assert "tuning" not in old and Plan.from_json(old).tuning is None
    resolved, _ = resolve(plan(), world(optimum_at(four=0.3, six=1.0)))
    assert resolved.tuning == RATES and not resolved.open_variants


def test_the_plan_says_what_tuning_takes(tmp_path: Path) -> None:
    (line,) = tuning_plan(run(tmp_path / "a", plan(), optimum_at(four=0.3, six=0.3), most=5))
    assert "2 designs x 3 values x 2 seeds = 12 trials, of which 5 are there" in line
    (line,) = tuning_plan(run(tmp_path / "b", plan(EACH), by_seed, most=5))
    assert "2 designs x 3 values x 6 seeds = 36 trials, of which 5 are there" in line


def values(of: Iterable[Any]) -> dict[str, Any]:
    return {"values": tuple(of)}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"field": "learning_rat"}, "must be a field of the training with one value; did you mean"),
        ({"field": "augment"}, "must be a field of the training with one value"),
        (values([0.1]), "learning_rate=0.1: must be two values or more, each once"),
        (values([0.1, 0.1]), "must be two values or more, each once"),
        (values([0.1, -1]), "learning_rate=-1: must be a number above 0"),
        ({"validation": 1.0}, "validation=1.0: must be a number above 0 to below 1"),
        ({"by": "luck"}, "by=luck: must be loss or accuracy"),
        ({"seeds": 0}, "seeds=0: must be a whole number of 1 or more"),
    ],
)
def test_what_cannot_be_tuned_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        dataclasses.replace(RATES, **changes)


def test_what_makes_no_sense_with_the_rest_is_refused() -> None:
    with pytest.raises(InputError, match=f"seed {FIRST_SEED} is one of tuning"):
        require_tunable(dataclasses.replace(plan(), seeds=(5, FIRST_SEED)))
    with pytest.raises(InputError, match="seed 2147483647 of the study would be tuned with seed"):
        require_tunable(dataclasses.replace(plan(EACH), seeds=(MAX_SEED,)))
    sets = one_axis(small_study.BASE, "learning_rate", (0.1, 1.0))
    study = add_arms(Study("s", "S", (Question("q", "Q", sets),)), ("tuned",))
    with pytest.raises(InputError, match=r"learning_rate=0\.1 .tuned.: sets learning_rate"):
        require_tunable(plan(study=study))
    with pytest.raises(InputError, match=r"momentum=0\.5: means nothing with optimizer"):
        require_tunable(plan(Tuning("momentum", (0.5, 0.9))))
    with pytest.raises(InputError, match=r"validation=0\.1: a tuned study is evaluated"):
        require_tunable(plan(data=small_study.DATA.replace(validation=0.1)))
    with pytest.raises(InputError, match="nothing says how it is tuned"):
        require_tunable(dataclasses.replace(plan(), tuning=None))
