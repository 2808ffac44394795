"""Why a verdict is no test of what was declared before the first trial."""

from collections.abc import Mapping
from typing import Any

from cnn_ablation.claims import Claim
from cnn_ablation.study.ledger import Declaration, tested


def exploratory_reasons(
    declared: Declaration, now: Declaration, question: str, claim: Claim, *, is_tuned: bool = False
) -> tuple[str, ...]:
    """Why a claim's verdict is no test of what was declared, a phrase each; empty where it is one.

    Args:
        declared: what stood before the first trial.
        now: what is judged.
        question: the question under which the claim is shown.
        claim: the claim as it is judged.
        is_tuned: whether it is about variants that are tuned.
    """
    reasons = []
    before = declared.claims.get((question, claim.name))
    if before is None:
        reasons.append("it was not declared before the first trial")
    else:
        reasons += _changes(before, claim)
        if _dropped(declared, now, claim.question):
            reasons.append("another claim of its family was changed or dropped since")
    if claim.kind == "paired":
        reasons += _seed_changes(declared, now)
    if is_tuned and declared.tuning is not None and declared.tuning != now.tuning:
        reasons.append(f"another tuning was declared: {declared.tuning}")
    if claim.kind == "timing" and 0 < (declared.rounds or 0) < (now.rounds or 0):
        reasons.append(f"{now.rounds} rounds, where {declared.rounds} were declared")
    if now.level != declared.level:
        reasons.append(f"level {now.level:g}, where {declared.level:g} was declared")
    return tuple(reasons)


def _changes(before: Claim, claim: Claim) -> list[str]:
    old, new = tested(before), tested(claim)
    changed = [
        name
        for name in dict.fromkeys([*old, *new])
        if name != "text" and old.get(name) != new.get(name)
    ]
    return [f"its {name} was changed since: {_was(name, old, new)}" for name in changed]


def _was(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if name == "contrasts":
        return "others were declared"
    return f"{new.get(name)}, where {old.get(name)} was declared"


def _dropped(declared: Declaration, now: Declaration, family: str) -> bool:
    """Whether a hypothesis of a family is gone, which leaves more of the level to the others."""

    def hypotheses(declaration: Declaration) -> set[Any]:
        return {
            claim.hypothesis(contrast)
            for claim in declaration.claims.values()
            if claim.question == family and claim.kind != "exact"
            for contrast in claim.contrasts
        }

    return not hypotheses(declared) <= hypotheses(now)


def _seed_changes(declared: Declaration, now: Declaration) -> list[str]:
    if declared.schedule != now.schedule:
        return [f"{_looks(now)}, where {_looks(declared)} were declared"]
    if declared.seeds != now.seeds:
        count, before = len(now.seeds), len(declared.seeds)
        if count == before:
            return ["other seeds than were declared"]
        return [f"{count} seeds, where {before} were declared"]
    return []


def _looks(declaration: Declaration) -> str:
    if declaration.schedule is None:
        return f"{len(declaration.seeds)} seeds without looks"
    looks = ", ".join(map(str, declaration.schedule.looks))
    return f"looks at {looks} seeds ({declaration.schedule.spending} spending)"
