"""Does a deep network train worse without residual connections, and with them not?

Claims: past some depth a plain network has a higher training error than a shallower one, and with
residual connections it has not (He et al. 2015, Deep residual learning for image recognition,
arXiv 1512.03385, section 4). As there, every convolution has a batch norm.

cnn-ablation study residual --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import SAME
from cnn_ablation.study import Question, Study, Variant


def of_depth(depth: int, *, residual: bool) -> Variant:
    """So many blocks of 8 channels between two poolings, with or without connections."""
    kind = "residual" if residual else "plain"
    network = SAME.replace(
        features=(8,) * depth,
        pool=(2, *(1,) * (depth - 2), 2),
        norm="batch",
        residual=(False, *(residual,) * (depth - 1)),
    )
    return Variant(f"{kind} {depth}", network)


SHALLOW, DEEP = 3, 10
VARIANTS = tuple(
    of_depth(depth, residual=residual) for residual in (False, True) for depth in (SHALLOW, DEEP)
)
CLAIMS = (
    Claim(
        name="plain-degrades",
        question="residual",
        text="without connections the deep network has a higher training loss than the shallow one",
        metric="train_loss",
        contrasts=(("plain 10", "plain 3"),),
    ),
    Claim(
        name="residual-does-not",
        question="residual",
        text="with connections the deep network has a lower training loss than the shallow one",
        metric="train_loss",
        contrasts=(("residual 10", "residual 3"),),
        direction="smaller",
    ),
    Claim(
        name="residual-is-more-accurate",
        question="residual",
        text="of deep networks the residual one is more accurate",
        metric="test_accuracy",
        contrasts=(("residual 10", "plain 10"),),
    ),
)
QUESTION = Question("residual", "Residual connections", VARIANTS, CLAIMS)
STUDY = Study("residual", "Do residual connections help a deep network?", (QUESTION,))
