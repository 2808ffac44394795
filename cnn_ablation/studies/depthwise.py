"""What does a depthwise separable convolution save, and what does it cost?

Claims: it takes far fewer parameters and multiply-accumulates than a full convolution, for a
little less accuracy (Howard et al. 2017, MobileNets, arXiv 1704.04861, sections 3.1 and 4.1).

The second convolution is split as there: a 3x3 kernel for each channel, then 1x1 kernels over all.

cnn-ablation study depthwise --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, Variant

FULL = BASE
SEPARABLE = BASE.replace(
    features=(8, 8, 16), kernel_size=(3, 3, 1), groups=(1, 8, 1), pool=(2, 1, 2)
)
VARIANTS = (Variant("full", FULL), Variant("separable", SEPARABLE))
CLAIMS = (
    Claim(
        name="full-is-more-accurate",
        question="depthwise",
        text="a full convolution is more accurate than a depthwise separable one",
        metric="test_accuracy",
        contrasts=(("full", "separable"),),
    ),
    Claim(
        name="separable-is-smaller",
        question="depthwise",
        text="a depthwise separable convolution has fewer parameters",
        metric="params",
        contrasts=(("separable", "full"),),
        direction="smaller",
        kind="exact",
        expected="holds",
    ),
    Claim(
        name="separable-computes-less",
        question="depthwise",
        text="a depthwise separable convolution takes fewer multiply-accumulates",
        metric="macs",
        contrasts=(("separable", "full"),),
        direction="smaller",
        kind="exact",
        expected="holds",
    ),
)
QUESTION = Question("depthwise", "Depthwise against full", VARIANTS, CLAIMS)
STUDY = Study("depthwise", "What does a depthwise convolution cost?", (QUESTION,))
