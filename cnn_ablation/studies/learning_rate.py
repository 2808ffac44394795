"""How much does the learning rate matter?

Claim: the training error is lowest at a rate between too small and too large ones (Goodfellow,
Bengio and Courville 2016, Deep Learning, section 11.4.1). The optimizer is SGD with momentum.

cnn-ablation study learning_rate --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, Variant

RATES = (0.0001, 0.001, 0.01, 0.1, 1.0)
SGD: dict[str, object] = {"optimizer": "sgd", "momentum": 0.9}
VARIANTS = tuple(
    Variant(f"rate {rate:g}", BASE, training={**SGD, "learning_rate": rate}) for rate in RATES
)
CLAIMS = (
    Claim(
        name="not-too-small",
        question="learning_rate",
        text="a rate of 0.01 has a lower training loss than smaller ones",
        metric="train_loss",
        contrasts=(("rate 0.01", "rate 0.001"), ("rate 0.01", "rate 0.0001")),
        direction="smaller",
    ),
    Claim(
        name="not-too-large",
        question="learning_rate",
        text="a rate of 0.01 has a lower training loss than larger ones",
        metric="train_loss",
        contrasts=(("rate 0.01", "rate 0.1"), ("rate 0.01", "rate 1")),
        direction="smaller",
    ),
)
QUESTION = Question("learning_rate", "Learning rate", VARIANTS, CLAIMS)
STUDY = Study("learning_rate", "How much does the learning rate matter?", (QUESTION,))
