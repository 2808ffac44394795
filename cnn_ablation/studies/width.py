"""Is a wider network more accurate?

Claim: more channels raise accuracy (Zagoruyko and Komodakis 2016, Wide residual networks, arXiv
1605.07146, section 3).

cnn-ablation study width --num_seeds=10
"""

from cnn_ablation.claims import Claim, chain
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, one_axis

WIDTHS = ((2, 4), (4, 8), (8, 16), (16, 32), (32, 64))
LABELS = tuple(f"features={a},{b}" for a, b in WIDTHS)
CLAIMS = (
    Claim(
        name="wider-is-more-accurate",
        question="width",
        text="twice the channels are more accurate",
        metric="test_accuracy",
        contrasts=chain(*LABELS[::-1]),
    ),
    Claim(
        name="wider-is-slower",
        question="width",
        text="twice the channels train slower",
        metric="train_seconds",
        contrasts=chain(*LABELS[::-1]),
        kind="timing",
    ),
)
QUESTION = Question("width", "Channels", one_axis(BASE, "features", WIDTHS), CLAIMS)
STUDY = Study("width", "Is wider better?", (QUESTION,))
