"""What should pooling take of a window, and is a stride as good?

Claims: max-pooling is better than averaging (Scherer, Mueller and Behnke 2010, Evaluation of
pooling operations in convolutional architectures for object recognition, ICANN; Boureau, Ponce and
LeCun 2010, A theoretical analysis of feature pooling in visual recognition, ICML). A convolution
of stride 2 in the place of pooling costs no accuracy (Springenberg et al. 2014, arXiv 1412.6806):
it is judged whether pooling is better all the same.

cnn-ablation study pooling_kind --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import SAME
from cnn_ablation.study import Question, Study, Variant

VARIANTS = (
    Variant("max", SAME),
    Variant("avg", SAME.replace(pool_kind="avg")),
    Variant("stride", SAME.replace(pool=1, stride=2)),
)
CLAIMS = (
    Claim(
        name="max-over-avg",
        question="pooling_kind",
        text="max-pooling is more accurate than average pooling",
        metric="test_accuracy",
        contrasts=(("max", "avg"),),
    ),
    Claim(
        name="pooling-over-stride",
        question="pooling_kind",
        text="max-pooling is more accurate than a stride of 2 in its place",
        metric="test_accuracy",
        contrasts=(("max", "stride"),),
    ),
    Claim(
        name="stride-computes-less",
        question="pooling_kind",
        text="a stride of 2 takes fewer multiply-accumulates than pooling",
        metric="macs",
        contrasts=(("stride", "max"),),
        direction="smaller",
        kind="exact",
        expected="holds",
    ),
)
QUESTION = Question("pooling_kind", "What pooling takes", VARIANTS, CLAIMS)
STUDY = Study("pooling_kind", "What should pooling take of a window?", (QUESTION,))
