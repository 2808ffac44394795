"""Eighteen design choices on one base: the notebook's network with 2x2 pooling.

Fifteen are studies of the package. The notebook asked for kernel size, stride and padding on the
network without pooling, which takes five times as long; here they are asked on the base. Where a
study of the package sets learning rates, here they are tuned, and as given an optimizer's default.
"""

import dataclasses
from collections.abc import Sequence

from cnn_ablation.claims import Claim, chain
from cnn_ablation.studies import find
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, one_axis


def _asked_on_base(
    title: str, field: str, values: Sequence[object], claim: str, text: str, *labels: str
) -> Study:
    """A field of the network on the base, and the notebook's claim that labels are in order."""
    accuracy = Claim(claim, field, text, "test_accuracy", chain(*labels))
    variants = one_axis(BASE, field, values)
    heading = field.replace("_", " ").capitalize()
    return Study(field, title, (Question(field, heading, variants, (accuracy,), reference=BASE),))


KERNEL_SIZE = _asked_on_base(
    "Do small kernels suffice?",
    "kernel_size",
    (3, 5, 7),
    "smaller-is-more-accurate",
    "smaller kernels are more accurate",
    *(f"kernel_size={size}" for size in (3, 5, 7)),
)
# Pooling leaves no map for a stride of 3; the middle one steps in the first block alone.
STRIDE = _asked_on_base(
    "What does the stride of the convolutions do?",
    "stride",
    (1, (2, 1), 2),
    "lower-is-more-accurate",
    "a lower stride is more accurate",
    *("stride=1", "stride=2,1", "stride=2"),
)
PADDING = _asked_on_base(
    "Does padding keep what is at the edge?",
    "padding",
    ("valid", "same"),
    "valid-is-more-accurate",
    "valid padding is more accurate than same",
    *("padding=valid", "padding=same"),
)


def _without_rates(study: Study) -> Study:
    """A study's first question, whose variants leave the learning rate to be tuned."""
    question = study.questions[0]
    variants = tuple(
        dataclasses.replace(
            its, training={name: v for name, v in its.training.items() if name != "learning_rate"}
        )
        for its in question.variants
    )
    return dataclasses.replace(study, questions=(dataclasses.replace(question, variants=variants),))


# In the order in which a block and its training are put together.
_OF_THE_PACKAGE = (
    *("activation", "normalization", "dropout", "pooling_kind", "dilation", "depth", "width"),
    *("depthwise", "residual", "head", "initialization", "optimizer", "schedule"),
    *("batch_size", "amount_of_data"),
)
CHOICES: dict[str, Study] = {
    "kernel_size": KERNEL_SIZE,
    "stride": STRIDE,
    "padding": PADDING,
    **{name: find(name).study for name in _OF_THE_PACKAGE},
    **{name: _without_rates(find(name).study) for name in ("optimizer", "schedule")},
}
