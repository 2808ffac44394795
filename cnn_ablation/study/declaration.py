"""A study as a declaration: its questions, each with variants and claims. No JAX, no files.

STRIDE = Question(
    name="stride",
    title="Stride",
    variants=tuple(Variant(f"s{s}", NetworkSpec(stride=s)) for s in range(1, 6)),
    claims=(...),
)
STUDY = Study("stride", "What does the stride do?", (STRIDE,))
"""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cnn_ablation.claims import Claim
from cnn_ablation.design.spec import NetworkSpec
from cnn_ablation.errors import FieldError, InputError


@dataclasses.dataclass(frozen=True)
class Published:
    """Figures that somebody else published for a design, to be shown beside ours.

    Attributes:
        test_loss: after each epoch, in nats.
        test_accuracy: after each epoch, as a share.
        seconds: wall time of the whole training.
    """

    test_loss: tuple[float, ...]
    test_accuracy: tuple[float, ...]
    seconds: float


@dataclasses.dataclass(frozen=True)
class Variant:
    """One design in a question.

    Attributes:
        label: what tables and claims call it.
        network: the design.
        control_of: for a design in the control arm, the label of the variant that it is, but for
            the hidden width that brings its parameters to the question's reference.
        published: what was published of the design, or None.
    """

    label: str
    network: NetworkSpec
    control_of: str | None = None
    published: Published | None = None


@dataclasses.dataclass(frozen=True)
class Question:
    """Variants that differ in one design choice, and what is claimed of them.

    Attributes:
        name: identifier, such as `kernel_size`.
        title: heading for people.
        variants: the designs, in the order in which tables show them.
        claims: conclusions to judge; they name variants by label.
        reference: the design whose number of parameters a control arm holds (see `controls.py`);
            None where there can be no such arm.

    Raises:
        InputError: two variants share a label.
    """

    name: str
    title: str
    variants: tuple[Variant, ...]
    claims: tuple[Claim, ...] = ()
    reference: NetworkSpec | None = None

    def __post_init__(self) -> None:
        labels = [variant.label for variant in self.variants]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise InputError(f"question {self.name}: labels must differ; used twice: {twice}")


@dataclasses.dataclass(frozen=True)
class Study:
    """Questions that are trained, judged and reported together.

    Designs that several questions share are trained once.
    """

    name: str
    title: str
    questions: tuple[Question, ...]

    def networks(self) -> tuple[NetworkSpec, ...]:
        """The distinct designs, in the order of their first appearance."""
        variants = itertools.chain.from_iterable(q.variants for q in self.questions)
        return tuple(dict.fromkeys(variant.network for variant in variants))


def one_axis(base: NetworkSpec, axis: str, values: Sequence[Any]) -> tuple[Variant, ...]:
    """Variants of a base design that differ in one field: `one_axis(base, "pool", (1, 2, 3))`."""
    return grid(base, {axis: values})


def grid(base: NetworkSpec, axes: Mapping[str, Sequence[Any]]) -> tuple[Variant, ...]:
    """Every combination of several fields' values, labelled `pool=2 stride=1`.

    Raises:
        InputError: a field is unknown, or a combination is no possible network.
    """
    known = {field.name for field in dataclasses.fields(NetworkSpec)}
    for axis in axes:
        if axis not in known:
            raise InputError(f"{axis}: not a field of a network; allowed: {sorted(known)}")
    variants = []
    for values in itertools.product(*axes.values()):
        changes = dict(zip(axes, values, strict=True))
        label = " ".join(f"{axis}={_short(value)}" for axis, value in changes.items())
        variants.append(Variant(label, dataclasses.replace(base, **changes)))
    return tuple(variants)


def _short(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def labels_of(study: Study, network: NetworkSpec) -> Iterator[tuple[str, str]]:
    """The (question name, label) pairs under which a study shows a design."""
    for question in study.questions:
        for variant in question.variants:
            if variant.network == network:
                yield question.name, variant.label


def labels(study: Study) -> dict[NetworkSpec, str]:
    """One name a design: that under which the study shows it first."""
    variants = [variant for question in study.questions for variant in question.variants]
    return {variant.network: variant.label for variant in reversed(variants)}


def for_images(study: Study, image_shape: tuple[int, int, int], classes: int) -> Study:
    """The same study with networks for other images.

    Args:
        study: declared for any images.
        image_shape: (height, width, channels).
        classes: how many there are.

    Raises:
        InputError: a design is impossible on such images; the message names its variant.
    """

    def fit(network: NetworkSpec, name: str) -> NetworkSpec:
        try:
            return dataclasses.replace(network, image_shape=image_shape, classes=classes)
        except FieldError as error:
            raise InputError(f"{name}: {error}") from None

    def fit_variant(variant: Variant) -> Variant:
        network = fit(variant.network, f"variant {variant.label}")
        return dataclasses.replace(variant, network=network)

    def fit_question(question: Question) -> Question:
        variants = tuple(fit_variant(variant) for variant in question.variants)
        reference = question.reference and fit(question.reference, "the control arm's reference")
        return dataclasses.replace(question, variants=variants, reference=reference)

    return dataclasses.replace(study, questions=tuple(map(fit_question, study.questions)))
