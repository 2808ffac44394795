"""The arms of a study: the same designs and claims once more, each in a way that is fair.

As given, a variant differs from another in all that its choice brings with it. In an arm something
is held equal, or every variant is tuned. Each arm's claims are a family of their own: they ask
another question, and the study's own claims keep their full level. Beside them stand claims about
what the arm takes away: (difference as given - difference in the arm), paired by seed.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from cnn_ablation.claims import Claim, Contrast
from cnn_ablation.errors import InputError
from cnn_ablation.options.registry import nearest
from cnn_ablation.study.controls import MACS, PARAMS, control_at
from cnn_ablation.study.declaration import Question, Study, Variant

TUNED = "tuned"
# What the families of claims about what an arm takes away are called, behind the arm's.
INTERACTIONS = ", interactions"


@dataclasses.dataclass(frozen=True)
class Arm:
    """One way of comparing fairly.

    Attributes:
        name: what users call it, and variants keep.
        family: what its families of claims are called, behind the question's name.
        suffix: ends the names of its claims.
        cause: ends the names of claims about what the arm takes away.
        words: begins the sentences of its claims.
        held: what is brought to the reference's, a key of `controls.HELD`; None where nothing is.
        is_tuned: whether each variant is tuned on validation images.
        note: what was done and what follows, for a report.
    """

    name: str
    family: str
    suffix: str
    cause: str
    words: str
    held: str | None = None
    is_tuned: bool = False
    note: str = ""

    @property
    def title(self) -> str:
        """Heading of its section."""
        return "control arm" if self.name == PARAMS else self.family


_PARAMS = (
    "The hidden width is chosen so that every variant has the same number of parameters within "
    "1 %: what still differs is not a matter of parameters."
)
_MACS = (
    "The blocks' features are scaled so that every variant takes the same multiply-accumulates "
    "within 1 %: what still differs is not a matter of compute."
)
_TUNED = (
    "Every variant is trained at the value that did best of it on validation images, all chosen "
    "from one grid by the same seeds: what still differs is not a matter of what one setting suits."
)
ARMS: Mapping[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm(
            name=PARAMS,
            family="at equal parameters",
            suffix="equal-params",
            cause="params",
            words="at equal parameters",
            held=PARAMS,
            note=_PARAMS,
        ),
        Arm(
            name="compute",
            family="at equal compute",
            suffix="equal-compute",
            cause="compute",
            words="at equal compute",
            held=MACS,
            note=_MACS,
        ),
        Arm(
            name=TUNED,
            family="tuned",
            suffix="tuned",
            cause="tuning",
            words="when tuned",
            is_tuned=True,
            note=_TUNED,
        ),
        Arm(
            name="tuned_params",
            family="tuned at equal parameters",
            suffix="tuned-equal-params",
            cause="tuning-and-params",
            words="when tuned at equal parameters",
            held=PARAMS,
            is_tuned=True,
            note=f"{_PARAMS} {_TUNED}",
        ),
        Arm(
            name="tuned_compute",
            family="tuned at equal compute",
            suffix="tuned-equal-compute",
            cause="tuning-and-compute",
            words="when tuned at equal compute",
            held=MACS,
            is_tuned=True,
            note=f"{_MACS} {_TUNED}",
        ),
    )
}


def add_controls(study: Study) -> Study:
    """Adds the arm at equal parameters of every question that names a reference.

    Raises:
        InputError: a variant cannot be brought to the reference's parameters within 1 %.
    """
    return add_arms(study, (PARAMS,))


def add_arms(study: Study, names: Sequence[str], *, interactions: bool = True) -> Study:
    """Adds arms to every question; one that holds something equal where a reference is named.

    Each variant gets a twin in each arm (unless it is as it must be there already), and each paired
    claim, which is one about an accuracy or loss, one about the twins, and one about what the arm
    takes away: that of the claimed difference less is left in the arm, by more than the margin.

    Args:
        study: the declaration.
        names: keys of `ARMS`, in the order in which reports show them.
        interactions: whether to add the claims about what an arm takes away.

    Raises:
        InputError: there is no such arm, or a variant cannot be brought to the reference within
            1 %.
    """
    for name in names:
        if name not in ARMS:
            raise InputError(
                f"arms={','.join(names)}: must be of {', '.join(ARMS)}{nearest(name, ARMS)}"
            )
    arms = [ARMS[name] for name in dict.fromkeys(names)]
    questions = []
    for question in study.questions:
        whole = question
        for arm in arms:
            whole = _with_arm(whole, question, arm, interactions=interactions)
        questions.append(whole)
    return dataclasses.replace(study, questions=tuple(questions))


def arm_of(variant: Variant) -> Arm | None:
    """The arm that a variant is a twin in; None of a variant as given."""
    return None if variant.arm is None else ARMS[variant.arm]


def members_of(question: Question, name: str) -> dict[str, Variant]:
    """The designs that an arm compares, by the labels of the variants that they stand for.

    Empty where the question has no such arm.
    """
    arm = ARMS[name]
    twins = {(v.control_of, v.arm): v for v in question.variants}
    own = [v for v in question.variants if arm_of(v) == arm]
    members = {}
    for variant in question.variants if own else ():
        if variant.control_of is None:
            tuned = twins.get((variant.label, TUNED)) if arm.is_tuned else variant
            member = twins.get((variant.label, name), tuned)
            if member is not None:
                members[variant.label] = member
    return members


def arm_names(study: Study) -> tuple[str, ...]:
    """The arms that a study's variants make up."""
    found = dict.fromkeys(arm.name for v in study.variants if (arm := arm_of(v)) is not None)
    return tuple(found)


def _with_arm(whole: Question, given: Question, arm: Arm, *, interactions: bool) -> Question:
    """A question with one arm more, made of its variants and claims as given."""
    if arm.held is not None and given.reference is None:
        return whole
    twins = {variant.label: _twin(variant, given, arm) for variant in given.variants}
    stands_for = {label: label if twin is None else twin.label for label, twin in twins.items()}
    claims: list[Claim] = []
    paired = [claim for claim in given.claims if claim.kind == "paired" and not claim.against]
    for claim in paired:
        claims.append(_claim_in(arm, claim, stands_for))
    for claim in paired if interactions else ():
        claims += _interaction(arm, claim, stands_for)
    # A tuned design that needs no control is the same in two arms.
    there = {variant.label for variant in whole.variants}
    made = [twin for twin in twins.values() if twin is not None and twin.label not in there]
    return dataclasses.replace(
        whole, variants=(*whole.variants, *made), claims=(*whole.claims, *claims)
    )


def _twin(variant: Variant, question: Question, arm: Arm) -> Variant | None:
    twin: Variant | None = variant
    if arm.held is not None:
        assert question.reference is not None
        twin = control_at(arm.held, variant, question.reference)
    if arm.is_tuned:
        changed = variant if twin is None else twin
        twin = dataclasses.replace(
            changed, label=f"{changed.label} (tuned)", control_of=variant.label, published=None
        )
    return None if twin is None else dataclasses.replace(twin, arm=arm.name, is_open=arm.is_tuned)


def _claim_in(arm: Arm, claim: Claim, stands_for: Mapping[str, str]) -> Claim:
    """The same claim about the twins."""
    return dataclasses.replace(
        claim,
        name=f"{claim.name}-{arm.suffix}",
        question=f"{claim.question} {arm.family}",
        text=f"{arm.words}, {claim.text}",
        contrasts=tuple(_in_arm(contrast, stands_for) for contrast in claim.contrasts),
        expected=None,
    )


def _interaction(arm: Arm, claim: Claim, stands_for: Mapping[str, str]) -> list[Claim]:
    """That less is left of a difference in the arm; none where the arm changes no contrast."""
    changed = [
        (contrast, _in_arm(contrast, stands_for))
        for contrast in dict.fromkeys(claim.contrasts)
        if _in_arm(contrast, stands_for) != contrast
    ]
    if not changed:
        return []
    contrasts, against = zip(*changed, strict=True)
    return [
        dataclasses.replace(
            claim,
            name=f"{claim.name}-by-{arm.cause}",
            question=f"{claim.question} {arm.family}{INTERACTIONS}",
            text=f"{arm.words}, less is left of: {claim.text}",
            contrasts=contrasts,
            against=against,
            expected=None,
        )
    ]


def _in_arm(contrast: Contrast, stands_for: Mapping[str, str]) -> Contrast:
    return stands_for[contrast[0]], stands_for[contrast[1]]
