"""Does label smoothing help?

Claims: smoothing of 0.1 lowers the test error (Szegedy et al. 2015, Rethinking the Inception
architecture, arXiv 1512.00567, section 7). It keeps a network from becoming over-confident
(Mueller, Kornblith and Hinton 2019, arXiv 1906.02629): it is judged by the test loss, which is
that of plain labels for all.

cnn-ablation study label_smoothing --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, one_axis

SHARES = (0.0, 0.1, 0.3)
CLAIMS = (
    Claim(
        name="smoothing-is-more-accurate",
        question="label_smoothing",
        text="smoothing of 0.1 is more accurate than none",
        metric="test_accuracy",
        contrasts=(("label_smoothing=0.1", "label_smoothing=0.0"),),
    ),
    Claim(
        name="smoothing-is-less-confident",
        question="label_smoothing",
        text="smoothing of 0.1 has a lower test loss than none",
        metric="test_loss",
        contrasts=(("label_smoothing=0.1", "label_smoothing=0.0"),),
        direction="smaller",
    ),
)
VARIANTS = one_axis(BASE, "label_smoothing", SHARES)
QUESTION = Question("label_smoothing", "Label smoothing", VARIANTS, CLAIMS)
STUDY = Study("label_smoothing", "Does label smoothing help?", (QUESTION,))
