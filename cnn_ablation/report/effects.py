"""What each design choice does and what it costs, against the base design of its question.

The base is the variant with the network of the question's declared `reference`, which changes
nothing else; where there is none, the variant that the claims' contrasts name most often, the
first of several; without claims the first variant.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.claims import Claim, ContrastVerdict, judge
from cnn_ablation.claims.units import COUNTED
from cnn_ablation.design.summary import summarize
from cnn_ablation.inference import Interval
from cnn_ablation.report.axes import ACCURACY
from cnn_ablation.report.measures import LEVEL
from cnn_ablation.study import Question, Variant
from cnn_ablation.study.arms import TUNED
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import correct_images, metrics_table, schedule_of, setting_of

PRICES = ("parameters", "MACs", "time")


@dataclasses.dataclass(frozen=True)
class Effect:
    """One variant against the base of its question.

    Attributes:
        question: the question's title.
        label: the variant's label.
        base: the label of the base.
        difference: mean difference in test accuracy, variant minus base, as a share; None without
            data.
        interval: its interval, which covers together with all others that were made with it.
        prices: the variant's `PRICES` as a multiple of the base's; what is not known is missing.
    """

    question: str
    label: str
    base: str
    difference: float | None
    interval: Interval | None
    prices: Mapping[str, float]

    @property
    def is_decided(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.interval is not None and not self.interval.low <= 0.0 <= self.interval.high


def base_of(question: Question) -> Variant:
    """The variant that the others are compared with; see above."""
    variants = [variant for variant in question.variants if variant.control_of is None]
    for variant in variants:
        if variant.network == question.reference and not (variant.training or variant.data):
            return variant
    named = Counter(
        label for claim in question.claims for contrast in claim.contrasts for label in contrast
    )
    return max(variants, key=lambda variant: named[variant.label])


def choices_of(question: Question, *, tuned_alone: bool = False) -> list[tuple[Variant, Variant]]:
    """The variants that are compared, each with its base.

    Those as given, but for other names of the base's design; and where variants are tuned those
    too, against the tuned base. Without those as given where `tuned_alone` says so and the
    question has tuned ones.
    """
    if all(variant.control_of is not None for variant in question.variants):
        return []
    base = base_of(question)
    given = [
        variant
        for variant in question.variants
        if variant.control_of is None
        and (variant.network, variant.training, variant.data)
        != (base.network, base.training, base.data)
    ]
    tuned = {v.control_of: v for v in question.variants if v.arm == TUNED and not v.is_open}
    found = [(variant, base) for variant in given]
    if base.label in tuned:
        twins = [tuned[variant.label] for variant in given if variant.label in tuned]
        found = [] if tuned_alone else found
        found += [(twin, tuned[base.label]) for twin in twins]
    return found


def effects_of(
    results: StudyResults, family_size: int | None = None, *, tuned_alone: bool = False
) -> list[Effect]:
    """Every choice of a study against its base.

    Args:
        results: what the study has found.
        family_size: how many intervals are to cover together with 95 %; None means those of this
            study.
        tuned_alone: as of `choices_of`.

    Returns:
        An effect a choice, in the order of the declaration.
    """
    pairs = [
        (number, question, variant, base)
        for number, question in enumerate(results.study.questions)
        for variant, base in choices_of(question, tuned_alone=tuned_alone)
    ]
    if not pairs:
        return []
    share = len(pairs) / (family_size or len(pairs))
    found = _contrasts(results, pairs, LEVEL * share)
    return [
        _effect(results, question, variant, base, contrast)
        for (_, question, variant, base), contrast in zip(pairs, found, strict=True)
    ]


def count_choices(results: StudyResults, *, tuned_alone: bool = False) -> int:
    """How many effects `effects_of` returns."""
    return sum(len(choices_of(q, tuned_alone=tuned_alone)) for q in results.study.questions)


def _contrasts(
    results: StudyResults, pairs: Sequence[tuple[int, Question, Variant, Variant]], level: float
) -> Sequence[ContrastVerdict]:
    """All choices judged as one family, under labels that are unique in the study."""
    table: dict[str, dict[Hashable, float | None]] = {}
    correct: dict[str, Mapping[Any, NDArray[np.bool_]]] = {}
    for number, question in enumerate(results.study.questions):
        values = metrics_table(results, question).get(ACCURACY, {})
        table |= {f"{number} {label}": its for label, its in values.items()}
        bits = correct_images(results, question)
        correct |= {f"{number} {label}": its for label, its in bits.items()}
    claim = Claim(
        name="effects",
        question="effects",
        text="each choice changes the accuracy",
        metric=ACCURACY,
        contrasts=tuple((f"{q} {v.label}", f"{q} {base.label}") for q, _, v, base in pairs),
    )
    (verdict,) = judge(
        [claim],
        {ACCURACY: table},
        setting_of(results.plan),
        level,
        correct={COUNTED: correct},
        schedule=schedule_of(results.plan, level),
    )
    return verdict.contrasts


def _effect(
    results: StudyResults,
    question: Question,
    variant: Variant,
    base: Variant,
    contrast: ContrastVerdict,
) -> Effect:
    own, its = summarize(variant.network), summarize(base.network)
    prices = {"parameters": own.params / its.params, "MACs": own.macs / its.macs}
    slower = _slower(results, variant, base)
    if slower is not None:
        prices["time"] = slower
    return Effect(
        question=question.title,
        label=variant.label,
        base=base.label,
        difference=contrast.difference,
        interval=contrast.interval,
        prices=prices,
    )


def _slower(results: StudyResults, variant: Variant, base: Variant) -> float | None:
    """How many times the base's training time: the geometric mean over rounds that timed both."""
    ours, theirs = (
        {timing.round: timing.train_seconds for timing in results.timings_of(one)}
        for one in (variant, base)
    )
    rounds = sorted(ours.keys() & theirs.keys())
    if not rounds or any(min(ours[r], theirs[r]) <= 0.0 for r in rounds):
        return None
    return math.exp(math.fsum(math.log(ours[r] / theirs[r]) for r in rounds) / len(rounds))
