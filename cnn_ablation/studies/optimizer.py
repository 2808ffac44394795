"""Which optimizer trains best, each at its usual rate?

Claims: Adam's training loss falls faster than that of SGD with momentum (Kingma and Ba 2014, arXiv
1412.6980, section 6.3), but SGD with momentum generalizes better (Wilson et al. 2017, arXiv
1705.08292). Decoupled weight decay makes Adam generalize better (Loshchilov and Hutter 2017, arXiv
1711.05101). Lion is more accurate than AdamW (Chen et al. 2023, arXiv 2302.06675).

Rates are the optimizers' own, but of SGD 0.05 with momentum, and of Lion a third of Adam's.

cnn-ablation study optimizer --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, Variant

RULES: dict[str, dict[str, object]] = {
    "adadelta": {"optimizer": "adadelta"},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.05},
    "momentum": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9},
    "adam": {"optimizer": "adam"},
    "adamw": {"optimizer": "adamw"},
    "rmsprop": {"optimizer": "rmsprop"},
    "lion": {"optimizer": "lion", "learning_rate": 0.0003, "weight_decay": 0.012},
}
VARIANTS = tuple(Variant(name, BASE, training=fields) for name, fields in RULES.items())
CLAIMS = (
    Claim(
        name="adam-trains-faster",
        question="optimizer",
        text="after the same epochs Adam has a lower training loss than SGD with momentum",
        metric="train_loss",
        contrasts=(("adam", "momentum"),),
        direction="smaller",
    ),
    Claim(
        name="momentum-generalizes",
        question="optimizer",
        text="SGD with momentum is more accurate than Adam and RMSprop",
        metric="test_accuracy",
        contrasts=(("momentum", "adam"), ("momentum", "rmsprop")),
    ),
    Claim(
        name="decay-helps-adam",
        question="optimizer",
        text="AdamW is more accurate than Adam",
        metric="test_accuracy",
        contrasts=(("adamw", "adam"),),
    ),
    Claim(
        name="lion-over-adamw",
        question="optimizer",
        text="Lion is more accurate than AdamW",
        metric="test_accuracy",
        contrasts=(("lion", "adamw"),),
    ),
)
STUDY = Study(
    "optimizer", "Which optimizer is best?", (Question("optimizer", "Optimizer", VARIANTS, CLAIMS),)
)
