"""Is a deeper network more accurate?

Claim: the error falls with the depth (Simonyan and Zisserman 2014, arXiv 1409.1556, section 4.1).
Every depth ends in maps of the same size: pooling is behind the first and the last block alone.

cnn-ablation study depth --num_seeds=10
"""

from cnn_ablation.claims import Claim, chain
from cnn_ablation.studies.base import SAME
from cnn_ablation.study import Question, Study, Variant


def of_depth(depth: int) -> Variant:
    """So many blocks between the same two poolings."""
    pool = (2, *(1,) * (depth - 2), 2)
    features = (8, *(16,) * (depth - 1))
    return Variant(f"depth {depth}", SAME.replace(features=features, pool=pool))


VARIANTS = tuple(map(of_depth, (2, 3, 4, 6)))
CLAIMS = (
    Claim(
        name="deeper-is-more-accurate",
        question="depth",
        text="a deeper network is more accurate",
        metric="test_accuracy",
        contrasts=chain("depth 6", "depth 4", "depth 3", "depth 2"),
    ),
    Claim(
        name="deeper-is-slower",
        question="depth",
        text="a deeper network trains slower",
        metric="train_seconds",
        contrasts=chain("depth 6", "depth 4", "depth 3", "depth 2"),
        kind="timing",
    ),
)
STUDY = Study("depth", "Is deeper better?", (Question("depth", "Depth", VARIANTS, CLAIMS),))
