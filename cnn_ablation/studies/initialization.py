"""Does it matter how kernels are drawn?

Claims: with ReLU He's spread trains better than Glorot's, the more so in a deep network (He et al.
2015, Delving deep into rectifiers, arXiv 1502.01852, section 2.2). Glorot's is that of Glorot and
Bengio 2010 (Understanding the difficulty of training deep feedforward neural networks, AISTATS).

cnn-ablation study initialization --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import SAME
from cnn_ablation.study import Question, Study, Variant

DEEP = SAME.replace(features=(8,) * 10, pool=(2, *(1,) * 8, 2))
KINDS = ("glorot_uniform", "he_normal", "lecun_normal")
VARIANTS = (
    *(Variant(f"relu {kind}", SAME.replace(init=kind)) for kind in KINDS),
    *(Variant(f"deep {kind}", DEEP.replace(init=kind)) for kind in KINDS),
)
CLAIMS = (
    Claim(
        name="he-for-relu",
        question="initialization",
        text="with ReLU He's initialization has a lower training loss than Glorot's",
        metric="train_loss",
        contrasts=(("relu he_normal", "relu glorot_uniform"),),
        direction="smaller",
    ),
    Claim(
        name="he-for-deep",
        question="initialization",
        text="in a deep network with ReLU He's initialization is more accurate than Glorot's",
        metric="test_accuracy",
        contrasts=(("deep he_normal", "deep glorot_uniform"),),
    ),
)
QUESTION = Question("initialization", "Initialization", VARIANTS, CLAIMS)
STUDY = Study("initialization", "Does it matter how kernels are drawn?", (QUESTION,))
