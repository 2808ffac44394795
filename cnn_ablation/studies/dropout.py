"""Does dropout help, where does it, and what does it cost in training?

Claims: dropout in the fully connected part lowers the test error on MNIST, and so does dropout in
the convolutions; a dropout network takes longer to train (Srivastava et al. 2014, Dropout: a
simple way to prevent neural networks from overfitting, JMLR 15).

cnn-ablation study dropout --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, Variant

VARIANTS = (
    Variant("none", BASE),
    Variant("head 0.25", BASE.replace(head_dropout=0.25)),
    Variant("head 0.5", BASE.replace(head_dropout=0.5)),
    Variant("blocks 0.25", BASE.replace(dropout=0.25)),
    Variant("both", BASE.replace(dropout=0.25, head_dropout=0.5)),
)
CLAIMS = (
    Claim(
        name="head-dropout-helps",
        question="dropout",
        text="dropping half of the hidden units is more accurate than dropping none",
        metric="test_accuracy",
        contrasts=(("head 0.5", "none"),),
    ),
    Claim(
        name="block-dropout-helps",
        question="dropout",
        text="dropout behind the convolutions helps too, alone and beside that of the head",
        metric="test_accuracy",
        contrasts=(("blocks 0.25", "none"), ("both", "head 0.5")),
    ),
    Claim(
        name="dropout-trains-slower",
        question="dropout",
        text="after the same epochs a network without dropout has the lower training loss",
        metric="train_loss",
        contrasts=tuple(("none", variant.label) for variant in VARIANTS[1:]),
        direction="smaller",
    ),
)
STUDY = Study("dropout", "Does dropout help?", (Question("dropout", "Dropout", VARIANTS, CLAIMS),))
