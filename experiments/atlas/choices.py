"""Eighteen design choices on one base: the notebook's network with 2x2 pooling.

Fifteen are studies of the package. The notebook asked for kernel size, stride and padding on the
network without pooling, which takes five times as long; here they are asked on the base.
"""

from cnn_ablation.claims import Claim, chain
from cnn_ablation.studies import find
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, one_axis

_KERNELS = tuple(f"kernel_size={size}" for size in (3, 5, 7))
# Pooling leaves no map for a stride of 3; the middle one steps in the first block alone.
_STRIDES = (1, (2, 1), 2)

KERNEL_SIZE = Study(
    "kernel_size",
    "Do small kernels suffice?",
    (
        Question(
            "kernel_size",
            "Kernel size",
            one_axis(BASE, "kernel_size", (3, 5, 7)),
            (
                # The notebook's conclusion on its own network.
                Claim(
                    name="smaller-is-more-accurate",
                    question="kernel_size",
                    text="smaller kernels are more accurate",
                    metric="test_accuracy",
                    contrasts=chain(*_KERNELS),
                ),
            ),
            reference=BASE,
        ),
    ),
)
STRIDE = Study(
    "stride",
    "What does the stride of the convolutions do?",
    (
        Question(
            "stride",
            "Stride",
            one_axis(BASE, "stride", _STRIDES),
            (
                Claim(
                    name="lower-is-more-accurate",
                    question="stride",
                    text="a lower stride is more accurate",
                    metric="test_accuracy",
                    contrasts=chain("stride=1", "stride=2,1", "stride=2"),
                ),
            ),
            reference=BASE,
        ),
    ),
)
PADDING = Study(
    "padding",
    "Does padding keep what is at the edge?",
    (
        Question(
            "padding",
            "Padding",
            one_axis(BASE, "padding", ("valid", "same")),
            (
                Claim(
                    name="valid-is-more-accurate",
                    question="padding",
                    text="valid padding is more accurate than same",
                    metric="test_accuracy",
                    contrasts=(("padding=valid", "padding=same"),),
                ),
            ),
            reference=BASE,
        ),
    ),
)

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
}
