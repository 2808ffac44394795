"""Do large batches generalize worse, and do they train faster?

Claims: large batches generalize worse (Keskar et al. 2016, arXiv 1609.04836), and the best results
are those of batches of 32 or smaller (Masters and Luschi 2018, arXiv 1804.07612). Very small
batches leave hardware idle (Goodfellow, Bengio and Courville 2016, Deep Learning, section 8.1.3).

cnn-ablation study batch_size --num_seeds=10
"""

from cnn_ablation.claims import Claim, chain
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, one_axis

SIZES = (2048, 512, 128, 32)
LABELS = tuple(f"batch_size={size}" for size in SIZES)
CLAIMS = (
    Claim(
        name="smaller-is-more-accurate",
        question="batch_size",
        text="after the same epochs smaller batches are more accurate",
        metric="test_accuracy",
        contrasts=chain(*LABELS[::-1]),
    ),
    Claim(
        name="larger-is-faster",
        question="batch_size",
        text="an epoch of larger batches takes less time",
        metric="train_seconds",
        contrasts=chain(*LABELS),
        direction="smaller",
        kind="timing",
    ),
)
QUESTION = Question("batch_size", "Batch size", one_axis(BASE, "batch_size", SIZES), CLAIMS)
STUDY = Study("batch_size", "Do large batches generalize worse?", (QUESTION,))
