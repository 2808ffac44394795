"""From a declared plan and its trials to the plan as it stands: what tuning has chosen so far.

A tuned variant is declared before anybody knows its best value. Which trials tuning needs, how its
grid is extended, and what is chosen in the end are functions of the declaration and of the trials
that are there: a study that was stopped chooses as one that was not.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cnn_ablation.design import MAX_SEED, TrialSpec
from cnn_ablation.errors import FieldError, InputError
from cnn_ablation.study.attempts import Attempt, Tuned, TuningResults
from cnn_ablation.study.declaration import Question, Variant
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.tuning import Choice, Tuning, choose, extended
from cnn_ablation.training.records import TrialRecord

# The trial of a design and seed, or None where it is not there.
Find = Callable[[TrialSpec, int], TrialRecord | None]


def resolve(plan: Plan, find: Find) -> tuple[Plan, TuningResults | None]:
    """The plan with the values that tuning has chosen, and how it came to them.

    Tuned variants whose value is not known yet stay open; see `Variant.is_open`.

    Args:
        plan: what is declared.
        find: gives the trials that are there.
    """
    tuning, places = plan.tuning, list(_open_variants(plan))
    if tuning is None or not places:
        return plan, None
    grid = tuning.values
    seeds = plan.seeds if plan.schedule is None else plan.seeds[: plan.schedule.looks[0]]
    for extension in range(tuning.extensions + 1):
        found = [_tuned(plan, question, v, grid, seeds, find) for question, v in places]
        wider = extended(tuning, grid, _edges(plan, tuning, grid, found))
        done = any(one.is_open for one in found) or extension == tuning.extensions
        if done or wider == grid:
            break
        grid = wider
    results = TuningResults(tuning, grid, tuple(found), tuple(seeds))
    return _with_choices(plan, results), results


def tuning_spec(plan: Plan, tuning: Tuning, variant: Variant, value: Any) -> TrialSpec:
    """What tuning trains of a variant at a value.

    Raises:
        InputError: the value is not allowed beside what else the variant is trained with.
    """
    try:
        return plan.spec(variant).replace(**{tuning.field: value, "validation": tuning.validation})
    except FieldError as error:
        raise InputError(f"variant {variant.label}: tuning {tuning.field}: {error}") from None


def require_tunable(plan: Plan) -> None:
    """Refuses a tuning that makes no sense with the rest of a plan.

    Raises:
        InputError: seeds of tuning are seeds of the study, a value is not allowed for a variant, a
            variant sets the field itself, or the study is evaluated on validation images anyway.
    """
    tuning, places = plan.tuning, list(_open_variants(plan))
    if tuning is None:
        if places:
            raise InputError(
                f"variant {places[0][1].label}: is in a tuned arm, and nothing says how it is tuned"
            )
        return
    own = tuning.trial_seeds(plan.seeds)
    shared = sorted(set(own) & set(plan.seeds))
    if shared:
        raise InputError(
            f"tuning: seed {shared[0]} is one of tuning ({own[0]} to {own[-1]}) and of the study; "
            "the study must have others"
        )
    if max(own, default=0) > MAX_SEED:
        raise InputError(
            f"tuning: seed {max(plan.seeds)} of the study would be tuned with seed {max(own)}: "
            f"must be {MAX_SEED} at most"
        )
    for _, variant in places:
        if tuning.field in variant.training:
            raise InputError(
                f"variant {variant.label}: sets {tuning.field} itself, which is what is tuned"
            )
        if plan.spec(variant).data.validation:
            raise InputError(
                f"validation={plan.spec(variant).data.validation:g}: a tuned study is evaluated on "
                "its test images; what tuning holds out is said by the tuning's own validation"
            )
        for value in tuning.values:
            tuning_spec(plan, tuning, variant, value)


def _open_variants(plan: Plan) -> Iterator[tuple[Question, Variant]]:
    for question in plan.study.questions:
        for variant in question.variants:
            if variant.is_open:
                yield question, variant


def _tuned(
    plan: Plan,
    question: Question,
    variant: Variant,
    grid: Sequence[Any],
    seeds: Sequence[int],
    find: Find,
) -> Tuned:
    """One variant's attempts on a grid, and its choices at the seeds for which they are whole."""
    tuning = plan.tuning
    assert tuning is not None
    attempts = tuple(_attempt(plan, tuning, variant, value, find) for value in grid)
    default = plan.spec(variant).training.values().get(tuning.field)
    tuned = Tuned(question.name, variant.label, default, attempts)
    first = tuning.trial_seeds(seeds)
    if not all(one.is_whole(first) for one in attempts):
        return tuned

    def best(own: Sequence[int]) -> Choice:
        return choose(tuning, grid, {one.value: one.score_at(own) for one in attempts}, default)

    choices = {
        seed: best(own).value
        for seed in plan.seeds
        for own in [tuning.seeds_for(seed)]
        if all(one.is_whole(own) for one in attempts)
    }
    # Which way a grid goes on is decided once, by the seeds that every study of this plan has.
    return dataclasses.replace(tuned, choices=choices, edge=best(first).edge)


def _attempt(plan: Plan, tuning: Tuning, variant: Variant, value: Any, find: Find) -> Attempt:
    spec = tuning_spec(plan, tuning, variant, value)
    found = (find(spec, seed) for seed in tuning.trial_seeds(plan.seeds))
    trials = tuple(trial for trial in found if trial is not None)
    return Attempt(value, spec, trials, tuning.metric)


def _edges(plan: Plan, tuning: Tuning, grid: Sequence[Any], found: Sequence[Tuned]) -> set[int]:
    """The edges at which a best value lies and beyond which all variants can be trained."""
    edges = {one.edge for one in found} - {0}
    return {edge for edge in edges if _can_be_tried(plan, tuning, extended(tuning, grid, {edge}))}


def _can_be_tried(plan: Plan, tuning: Tuning, grid: Sequence[Any]) -> bool:
    """Whether every value is one that every variant can have."""
    try:
        for _, variant in _open_variants(plan):
            for value in grid:
                tuning_spec(plan, tuning, variant, value)
    except InputError:
        return False
    return True


def _with_choices(plan: Plan, results: TuningResults) -> Plan:
    field, once = results.tuning.field, results.tuning.once
    choices = {(t.question, t.label): t.choices for t in results.variants if not t.is_open}

    def made(question: Question, variant: Variant) -> Variant:
        own = choices.get((question.name, variant.label))
        if own is None:
            return variant
        if once:
            training = {**variant.training, field: next(iter(own.values()))}
            return dataclasses.replace(variant, training=training, is_open=False)
        at_seeds = {seed: {field: value} for seed, value in own.items()}
        return dataclasses.replace(variant, at_seeds=at_seeds, is_open=False)

    questions = tuple(
        dataclasses.replace(q, variants=tuple(made(q, variant) for variant in q.variants))
        for q in plan.study.questions
    )
    study = dataclasses.replace(plan.study, questions=questions)
    tried = {spec: [place] for spec, place in results.designs.items()}
    return dataclasses.replace(plan, study=study, tried=tried)
