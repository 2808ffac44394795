"""What a study says of itself before it trains."""

import collections
import dataclasses

from cnn_ablation.claims import (
    FamilyProspects,
    SequentialFamilyProspects,
    prospects_of,
    sequential_prospects_of,
)
from cnn_ablation.claims.words import plural
from cnn_ablation.display.text import wrap
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.study.checks import same_designs
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.sequence import expected_trials
from cnn_ablation.study.store import Store
from cnn_ablation.study.tuning_words import tuning_plan
from cnn_ablation.study.verdicts import setting_of, why_exploratory


def introduction(store: Store, missing: int, declared: Plan, options: StudyOptions) -> str:
    """The study, its setting, how many trials are there, and what the claims can come to.

    Args:
        store: its folder.
        missing: how many trials are not there.
        declared: the plan of this run, with what tuning has chosen.
        options: how it is run.
    """
    study, seeds = declared.study, declared.seeds
    designs, total = len(declared.same_at_all_seeds), len(list(declared.trials()))
    setting = setting_of(store.plan)
    schedule = declared.schedule
    if schedule is None:
        tuned = total - designs * len(seeds)
        more = f" and {plural(tuned, 'tuned trial')}" if tuned else ""
        trials = f"{designs} designs x {len(seeds)} seeds = {total - tuned}{more}, of which "
        trials += f"{total - missing}"
    else:
        there = len(store.results().trials)
        trials = f"{designs} designs x {schedule.looks[0]} to {len(seeds)} seeds, of which {there}"
    lines = [
        f"study    {study.name}: {study.title}",
        f"device   {declared.environment['device']}; convolutions: {declared.lowering}",
        f"setting  {setting}",
        f"trials   {trials} are there",
        f"workdir  {store.folder}",
        *(wrap(line, "tuning   ") for line in tuning_plan(store.results())),
        *(f"repair   {line}" for line in store.repairs),
        *(wrap(line, "note     ") for line in (*store.strays, *same_designs(declared))),
    ]
    lines += [wrap(line, "note     ") for line in _exploratory(store)]
    claims = [claim for question in study.questions for claim in question.claims]
    fixed = prospects_of(claims, setting, len(seeds), options.timing_rounds or None, study.level)
    prospects: list[FamilyProspects | SequentialFamilyProspects] = list(fixed)
    if schedule is not None:
        timed = [one for one in fixed if one.kind == "timing"]
        own = dataclasses.replace(schedule, level=study.level)
        prospects = [*sequential_prospects_of(claims, setting, own), *timed]
    for prospect in prospects:
        head = f"{'plan' if prospect.can_decide else 'warning':<9}"
        lines.append(wrap(prospect.sentence(), head))
    if schedule is not None:
        lines.append(wrap(_expected(declared), "plan     "))
    return "\n".join(lines) + "\n"


def _exploratory(store: Store) -> list[str]:
    """What was not declared before the first trial, said before anything more is trained."""
    results = store.results()
    reasons = collections.Counter(r for own in why_exploratory(results) for r in own)
    since = results.ledger.time if results.ledger else ""
    return [
        f"{plural(count, 'verdict')} will be labelled exploratory: {reason} (on {since})"
        for reason, count in reasons.items()
    ]


def _expected(plan: Plan) -> str:
    most = len(plan.designs) * len(plan.seeds)
    return (
        f"Some {expected_trials(plan):.0f} of at most {most} trials are to be expected where every "
        f"difference lies 1 SD from its margin, {expected_trials(plan, 0.5):.0f} where it is half "
        "an SD."
    )
