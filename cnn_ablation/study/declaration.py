"""A study as a declaration: its questions, each with variants and claims. No JAX, no files.

STRIDE = Question(
    name="stride",
    title="Stride",
    variants=one_axis(NetworkSpec(), "stride", (1, 2, 3)),
    claims=(...),
)
STUDY = Study("stride", "What does the stride do?", (STRIDE,))
"""

import dataclasses
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cnn_ablation.claims import Claim
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec, part_of
from cnn_ablation.design.trial import PARTS
from cnn_ablation.errors import FieldError, InputError, as_typed
from cnn_ablation.inference import SequentialDesign
from cnn_ablation.study.tuning import Tuning

LEVEL = 0.05
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_FIRST_ARM = "params"
Images = tuple[tuple[int, int, int], int]
"""Shape (height, width, channels) of a dataset's images, and its number of classes."""


@dataclasses.dataclass(frozen=True)
class Published:
    """Figures that somebody else published for a design, to be shown beside ours.

    Attributes:
        test_loss: after each epoch, in nats.
        test_accuracy: after each epoch, as a share.
        seconds: wall time of the whole training.
        setting: how it was trained, where tables have room for few words: `Adadelta at 0.001`.
    """

    test_loss: tuple[float, ...]
    test_accuracy: tuple[float, ...]
    seconds: float
    setting: str = ""


@dataclasses.dataclass(frozen=True)
class Variant:
    """One design in a question: a network, and what it changes in training and data.

    Attributes:
        label: what tables and claims call it.
        network: the network.
        control_of: for a design in another arm than as given, the label of the variant that it is,
            but for what that arm changes.
        published: what was published of the design, or None.
        training: fields of the training that this variant sets, by name.
        data: fields of the data that this variant sets, by name.
        arm: for a design in another arm its name, a key of `arms.ARMS`; where none is named the one
            at equal parameters, the only one of version 0.1.
        is_open: whether it is not known yet at which value it is trained: a variant of a tuned arm,
            as long as it is not tuned.
        at_seeds: of a variant that is tuned for each seed by itself the fields of the training that
            were chosen, by seed; empty else.

    Raises:
        InputError: there is no such field, or a value is not allowed.
    """

    label: str
    network: NetworkSpec = dataclasses.field(default_factory=NetworkSpec)
    control_of: str | None = None
    published: Published | None = None
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    arm: str | None = None
    is_open: bool = False
    at_seeds: Mapping[int, Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.network, NetworkSpec):
            raise InputError(f"variant {self.label}: network must be a NetworkSpec")
        for part in ("training", "data"):
            given: Mapping[str, Any] = getattr(self, part)
            every = PARTS[part].every_option()
            for name in given:
                if name not in every:
                    raise InputError(
                        f"variant {self.label}: {part} sets {name}, which is not a field of it; "
                        f"allowed: {', '.join(sorted(every))}"
                    )
            kept = {name: every[name].checked(name, value) for name, value in given.items()}
            object.__setattr__(self, part, kept)
        if self.control_of is not None and self.arm is None:
            object.__setattr__(self, "arm", _FIRST_ARM)

    def spec(self, training: TrainingSpec, data: DataSpec) -> TrialSpec:
        """The whole spec of its trials, from what the study shares.

        Raises:
            InputError: what the variant sets does not fit the rest; the message names the variant.
        """
        try:
            return TrialSpec(
                self.network,
                training.replace(**self.training) if self.training else training,
                data.replace(**self.data) if self.data else data,
            )
        except FieldError as error:
            raise InputError(f"variant {self.label}: {error}") from None


@dataclasses.dataclass(frozen=True)
class Question:
    """Variants that differ in one design choice, and what is claimed of them.

    Attributes:
        name: identifier, such as `kernel_size`.
        title: heading for people.
        variants: the designs, in the order in which tables show them.
        claims: conclusions to judge; they name variants by label.
        reference: the design whose parameters or multiply-accumulates an arm holds (see `arms`);
            None where there can be no such arm.

    Raises:
        InputError: two variants share a label, or a field is of another type.
    """

    name: str
    title: str
    variants: tuple[Variant, ...]
    claims: tuple[Claim, ...] = ()
    reference: NetworkSpec | None = None

    def __post_init__(self) -> None:
        for field, kind in (("variants", Variant), ("claims", Claim)):
            _require_several(self, f"question {self.name}", field, kind)
        labels = [variant.label for variant in self.variants]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise InputError(f"question {self.name}: labels must differ; used twice: {twice}")


@dataclasses.dataclass(frozen=True)
class Study:
    """Questions that are trained, judged and reported together.

    Designs that several questions share are trained once.

    Attributes:
        name: identifier; it names a folder.
        title: heading for people.
        questions: what is compared.
        looks: numbers of seeds at which a sequential study looks at its results, rising; it trains
            until its claims are decided, or to the last. Empty for a study of fixed size.
        spending: how the looks share the level, a key of `inference.SPENDING`.
        level: family-wise significance level of each question.
        map_over: settings at which the whole study is repeated, values by field of training or
            data: every combination is a point of a map. With so many points each is judged at
            that share of the level, so that an error anywhere on the map is no likelier.
        tuning: how variants are tuned, which adds a tuned arm; None for none.

    Raises:
        InputError: the name is no plain name, or a field is of another type.
    """

    name: str
    title: str
    questions: tuple[Question, ...]
    looks: tuple[int, ...] = ()
    spending: str = "linear"
    level: float = LEVEL
    map_over: Mapping[str, Sequence[Any]] = dataclasses.field(default_factory=dict)
    tuning: Tuning | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and _NAME.fullmatch(self.name)):
            raise InputError(
                f"study {self.name!r}: a name is letters, digits, '_', '-' and '.', for it names a "
                "folder"
            )
        _require_several(self, f"study {self.name}", "questions", Question)
        object.__setattr__(self, "looks", tuple(self.looks))
        if not (isinstance(self.level, float) and 0.0 < self.level < 1.0):
            raise InputError(f"study {self.name}: level={self.level!r}: must lie between 0 and 1")
        if self.looks:
            try:
                SequentialDesign(self.looks, spending=self.spending)
            except InputError as error:
                raise InputError(f"study {self.name}: {error}") from None
        if not isinstance(self.tuning, Tuning | None):
            raise InputError(f"study {self.name}: tuning must be a Tuning, not {self.tuning!r}")

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The variants of all questions."""
        return tuple(itertools.chain.from_iterable(q.variants for q in self.questions))


def one_axis(base: NetworkSpec, axis: str, values: Sequence[Any]) -> tuple[Variant, ...]:
    """Variants of a base design that differ in one field: `one_axis(base, "pool", (1, 2, 3))`.

    The field may be any of network, training or data.

    Raises:
        InputError: the field is unknown, or a value makes no possible design.
    """
    return grid(base, {axis: values})


def grid(base: NetworkSpec, axes: Mapping[str, Sequence[Any]]) -> tuple[Variant, ...]:
    """Every combination of several fields' values, labelled `pool=2 stride=1`.

    Raises:
        InputError: a field is unknown, or a combination is no possible design.
    """
    for axis in axes:
        part_of(axis)
    variants = []
    for values in itertools.product(*axes.values()):
        changes = dict(zip(axes, values, strict=True))
        label = " ".join(f"{axis}={_short(value)}" for axis, value in changes.items())
        found: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
        for name, value in changes.items():
            found[part_of(name)][name] = value
        network = base.replace(**found["network"]) if found["network"] else base
        variants.append(Variant(label, network, training=found["training"], data=found["data"]))
    return tuple(variants)


def fit_images(study: Study, images_of: Callable[[Variant], Images]) -> Study:
    """The same study with networks for the images that its variants are trained on.

    Args:
        study: declared for any images.
        images_of: the images of a variant.

    Raises:
        InputError: a design is impossible on such images; the message names its variant.
    """

    def fit(network: NetworkSpec, images: Images, name: str) -> NetworkSpec:
        try:
            return network.replace(image_shape=images[0], classes=images[1])
        except FieldError as error:
            raise InputError(f"{name}: {error}") from None

    def fit_question(question: Question) -> Question:
        variants = tuple(
            dataclasses.replace(v, network=fit(v.network, images_of(v), f"variant {v.label}"))
            for v in question.variants
        )
        reference = question.reference
        if reference is not None:
            images = images_of(question.variants[0])
            reference = fit(reference, images, "the control arm's reference")
        return dataclasses.replace(question, variants=variants, reference=reference)

    return dataclasses.replace(study, questions=tuple(map(fit_question, study.questions)))


def _short(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ",".join(map(str, value)) or "none"
    return as_typed(value)


def _require_several(owner: Any, name: str, field: str, kind: type) -> None:
    """Keeps a field as a tuple, and refuses what is not made of a kind: a comma may be missing."""
    value = getattr(owner, field)
    if isinstance(value, kind):
        raise InputError(
            f"{name}: {field} must be several {kind.__name__}; for a single one write "
            f"({kind.__name__}(...),) with a comma"
        )
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError(f"{name}: {field} must be a tuple of {kind.__name__}, not {value!r}")
    for item in value:
        if not isinstance(item, kind):
            raise InputError(f"{name}: {field} must hold {kind.__name__} alone, not {item!r}")
    object.__setattr__(owner, field, tuple(value))
