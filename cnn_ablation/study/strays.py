"""Stored trials that a plan does not declare: how many, of which design, and why."""

import collections
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from cnn_ablation.design import TrialSpec
from cnn_ablation.design.words import describe, short_name
from cnn_ablation.errors import InputError
from cnn_ablation.study.plan import Plan


def explain_strays(plan: Plan, lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each reason why stored trials are of no use to a plan; they are kept.

    Args:
        plan: what is declared, with what tuning has chosen.
        lines: what `trials.jsonl` holds.
    """
    own = plan.tuning.trial_seeds(plan.seeds) if plan.tuning else ()
    tried = itertools.product(plan.tried, own)
    known = itertools.chain(plan.trials(), tried)
    declared = {plan.trial_id(spec, seed) for spec, seed in known}
    counts = collections.Counter(
        _reason(plan, line) for line in lines if line["trial_id"] not in declared
    )
    return [
        f"{count} stored trial{'s are' if count > 1 else ' is'} kept and not used: {reason}"
        for reason, count in counts.items()
    ]


def _reason(plan: Plan, line: Mapping[str, Any]) -> str:
    try:
        spec = TrialSpec.from_json(line.get("spec", {}))
    except InputError as error:
        return f"its spec cannot be read ({error})"
    seed = int(line.get("seed", -1))
    if plan.labels(spec):
        if plan.trial_id(spec, seed) != line["trial_id"]:
            return f"of {plan.label(spec)}, on another version of its dataset"
        return "of seeds that were not asked for"
    alike = [known for known in plan.designs if known.network == spec.network]
    if alike:
        return f"of {plan.label(alike[0])} in another setting: {_difference(spec, alike[0])}"
    return f"of a design that the study does not declare: {short_name(spec)}"


def _difference(spec: TrialSpec, other: TrialSpec) -> str:
    own, theirs = describe(spec).split(), describe(other).split()
    return " ".join(option for option in own if option not in theirs) or "an older form"
