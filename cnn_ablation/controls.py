"""The control arm of a study: the same designs and claims, with parameters held equal.

Kernel size, stride, padding and pooling change the map before the hidden layer, and with it that
layer's parameters. Where a conclusion survives in the control arm, they are not what made it.
"""

import dataclasses

from cnn_ablation.claims import Claim
from cnn_ablation.study import Question, Study, with_controls

ARM = "at equal parameters"


def add_controls(study: Study) -> Study:
    """Adds the control arm of every question that names a reference.

    Each variant gets a control of the reference's parameter count (unless it has that already), and
    each claim about an accuracy or loss gets a twin about the controls. The twins are a family of
    their own: they ask another question, and the notebook's claims keep their full level.

    Raises:
        InputError: a variant cannot be brought to the reference's parameters within 1 %.
    """
    return dataclasses.replace(
        study, questions=tuple(_with_arm(question) for question in study.questions)
    )


def _with_arm(question: Question) -> Question:
    if question.reference is None:
        return question
    variants = with_controls(question.variants, question.reference)
    stands_for = {variant.label: variant.label for variant in question.variants}
    stands_for |= {v.control_of: v.label for v in variants if v.control_of is not None}
    twins = [_twin(claim, stands_for) for claim in question.claims if claim.kind == "paired"]
    return dataclasses.replace(question, variants=variants, claims=(*question.claims, *twins))


def _twin(claim: Claim, stands_for: dict[str, str]) -> Claim:
    return dataclasses.replace(
        claim,
        name=f"{claim.name}-equal-params",
        question=f"{claim.question} {ARM}",
        text=f"{ARM}, {claim.text}",
        contrasts=tuple((stands_for[a], stands_for[b]) for a, b in claim.contrasts),
        expected=None,
    )
