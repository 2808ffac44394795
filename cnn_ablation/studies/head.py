"""Does global pooling do as well as fully connected layers?

Claims: in the place of fully connected layers global average pooling is a regularizer that lowers
the test error, with fewer parameters (Lin, Chen and Yan 2013, Network in network, arXiv 1312.4400,
section 3.2 and the experiments on global average pooling).

cnn-ablation study head --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, Variant

WIDE = BASE.replace(features=(16, 32))
VARIANTS = (
    Variant("flatten, hidden", WIDE),
    Variant("flatten", WIDE.replace(hidden=())),
    Variant("global average", WIDE.replace(hidden=(), head="global_avg")),
    Variant("global maximum", WIDE.replace(hidden=(), head="global_max")),
)
CLAIMS = (
    Claim(
        name="average-over-hidden",
        question="head",
        text="global average pooling is more accurate than a hidden layer",
        metric="test_accuracy",
        contrasts=(("global average", "flatten, hidden"),),
    ),
    Claim(
        name="average-over-maximum",
        question="head",
        text="global average pooling is more accurate than global maximum pooling",
        metric="test_accuracy",
        contrasts=(("global average", "global maximum"),),
    ),
    Claim(
        name="average-is-smaller",
        question="head",
        text="global average pooling has fewer parameters than flattening",
        metric="params",
        contrasts=(("global average", "flatten"), ("global average", "flatten, hidden")),
        direction="smaller",
        kind="exact",
        expected="holds",
    ),
)
STUDY = Study(
    "head", "How should maps become a vector?", (Question("head", "Head", VARIANTS, CLAIMS),)
)
