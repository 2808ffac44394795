"""Does a dilated kernel do as well as a larger one?

Claims: dilation widens the receptive field at no cost in parameters, and raises accuracy (Yu and
Koltun 2016, arXiv 1511.07122; theirs is of dense prediction). A 3x3 kernel with dilation 2 reaches
as far as a 5x5 kernel.

cnn-ablation study dilation --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import SAME
from cnn_ablation.study import Question, Study, Variant

VARIANTS = (
    Variant("3x3", SAME),
    Variant("3x3 dilated", SAME.replace(dilation=2)),
    Variant("5x5", SAME.replace(kernel_size=5)),
)
CLAIMS = (
    Claim(
        name="dilated-over-dense",
        question="dilation",
        text="a dilated 3x3 kernel is more accurate than a dense one",
        metric="test_accuracy",
        contrasts=(("3x3 dilated", "3x3"),),
    ),
    Claim(
        name="larger-over-dilated",
        question="dilation",
        text="a 5x5 kernel is more accurate than a dilated 3x3 kernel of the same reach",
        metric="test_accuracy",
        contrasts=(("5x5", "3x3 dilated"),),
    ),
    Claim(
        name="dilated-is-smaller",
        question="dilation",
        text="a dilated 3x3 kernel has fewer parameters than a 5x5 kernel",
        metric="params",
        contrasts=(("3x3 dilated", "5x5"),),
        direction="smaller",
        kind="exact",
        expected="holds",
    ),
)
STUDY = Study(
    "dilation", "Does a dilated kernel pay?", (Question("dilation", "Dilation", VARIANTS, CLAIMS),)
)
