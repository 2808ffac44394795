"""The control arm of a study: the same designs and claims, with parameters held equal.

Kernel size, stride, padding and pooling change the map before the hidden layer, and with it that
layer's parameters. Where a conclusion survives in the control arm, they are not what made it.
"""

import dataclasses
from collections.abc import Sequence

from cnn_ablation.claims import Claim
from cnn_ablation.design import NetworkSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.errors import InputError
from cnn_ablation.study.declaration import Question, Study, Variant

ARM = "at equal parameters"
# The share by which a control's parameters may differ from the reference's.
TOLERANCE = 0.01


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


def with_controls(variants: Sequence[Variant], reference: NetworkSpec) -> tuple[Variant, ...]:
    """Adds to each variant a control whose hidden width brings its parameters to a reference's.

    Where kernel size, stride or pooling change the map before the hidden layer, they change that
    layer's parameters too; in the control arm the count is held within 1 % instead.

    Args:
        variants: the designs.
        reference: the design whose number of parameters all controls have.

    Raises:
        InputError: no hidden width comes within 1 % of the reference.
    """
    target = summarize(reference).params
    controls = [_control(variant, target) for variant in variants]
    return (*variants, *(control for control in controls if control is not None))


def _control(variant: Variant, target: int) -> Variant | None:
    if summarize(variant.network).params == target:
        return None
    hidden = NetworkSpec.every_option()["hidden"]
    if isinstance(variant.network.hidden, tuple):
        raise InputError(
            f"variant {variant.label}: hidden={hidden.typed(variant.network.hidden)}: a control "
            "arm changes the width of the one hidden layer; leave the question's reference out"
        )
    network = variant.network.replace(hidden=_hidden_for(variant.network, target))
    params = summarize(network).params
    if abs(params - target) > TOLERANCE * target:
        raise InputError(
            f"variant {variant.label}: no hidden width gives {target:,} parameters within 1 %; "
            f"the nearest is {network.hidden} with {params:,}"
        )
    label = f"{variant.label} (hidden {network.hidden})"
    return dataclasses.replace(
        variant, label=label, network=network, control_of=variant.label, published=None
    )


def _hidden_for(network: NetworkSpec, target: int) -> int:
    """The hidden width nearest to a number of parameters, which is linear in the width."""
    one, two = (summarize(network.replace(hidden=h)).params for h in (1, 2))
    return max(1, round(1 + (target - one) / (two - one)))


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
