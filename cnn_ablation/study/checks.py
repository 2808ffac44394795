"""Mistakes in a declaration, found before the first trial."""

from collections.abc import Iterator

from cnn_ablation.claims import Claim
from cnn_ablation.errors import InputError
from cnn_ablation.options.registry import nearest
from cnn_ablation.study.declaration import Question, Study
from cnn_ablation.study.metrics import KINDS, METRICS
from cnn_ablation.study.plan import Plan


def check_study(study: Study) -> None:
    """Finds claims that can never be judged.

    Raises:
        InputError: a claim names a label, metric or question that does not exist, or shares its
            name with another of its question; the message names study, question and claim.
    """
    for question in study.questions:
        place = f"study {study.name}, question {question.name}"
        names = [claim.name for claim in question.claims]
        for claim in question.claims:
            if names.count(claim.name) > 1:
                raise InputError(
                    f"{place}: two claims are called {claim.name!r}; names must differ"
                )
            for mistake in _mistakes(claim, question):
                raise InputError(f"{place}, claim {claim.name}: {mistake}")


def same_designs(plan: Plan) -> list[str]:
    """A sentence for each question that shows one design under two labels."""
    lines = []
    for question in plan.study.questions:
        labels: dict[object, list[str]] = {}
        for variant in question.variants:
            if not variant.is_open and not variant.at_seeds:
                labels.setdefault(plan.spec(variant), []).append(variant.label)
        lines += [
            f"question {question.name}: {' and '.join(alike)} are one design; it is trained once"
            for alike in labels.values()
            if len(alike) > 1
        ]
    return lines


def _mistakes(claim: Claim, question: Question) -> Iterator[str]:
    if claim.question != question.name:
        yield (f"question={claim.question!r}: must be {question.name!r}, where it stands")
    if claim.metric not in METRICS:
        yield (
            f"metric={claim.metric!r}: must be {', '.join(METRICS)}{nearest(claim.metric, METRICS)}"
        )
    elif KINDS[claim.metric] != claim.kind:
        yield (
            f"kind={claim.kind!r}: must be {KINDS[claim.metric]!r} for the metric {claim.metric}"
        )
    labels = [variant.label for variant in question.variants]
    for label in claim.labels:
        if label not in labels:
            yield (
                f"{label!r} is no label of a variant{nearest(label, labels)}; there are "
                f"{', '.join(labels)}"
            )
