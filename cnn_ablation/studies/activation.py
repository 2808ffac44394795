"""Does ReLU beat what came before it, and do smoother functions beat ReLU?

Claims: ReLU reaches a training error in fewer epochs than tanh (Krizhevsky, Sutskever and Hinton
2012, ImageNet classification with deep convolutional neural networks, section 3.1). Where a
sigmoid is used, tanh performs better, and a network without a nonlinear function is a linear one
(Goodfellow, Bengio and Courville 2016, Deep Learning, sections 6.3.2 and 6.1). GELU is more
accurate than ReLU and ELU (Hendrycks and Gimpel 2016, arXiv 1606.08415).

cnn-ablation study activation --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, one_axis

FUNCTIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "none")
CLAIMS = (
    Claim(
        name="relu-trains-faster",
        question="activation",
        text="after the same epochs ReLU has a lower training loss than tanh",
        metric="train_loss",
        contrasts=(("activation=relu", "activation=tanh"),),
        direction="smaller",
    ),
    Claim(
        name="tanh-over-sigmoid",
        question="activation",
        text="tanh is more accurate than the sigmoid",
        metric="test_accuracy",
        contrasts=(("activation=tanh", "activation=sigmoid"),),
    ),
    Claim(
        name="any-over-none",
        question="activation",
        text="every nonlinear function but the sigmoid is more accurate than none",
        metric="test_accuracy",
        contrasts=tuple(
            (f"activation={name}", "activation=none")
            for name in FUNCTIONS
            if name not in ("sigmoid", "none")
        ),
    ),
    Claim(
        name="gelu-most-accurate",
        question="activation",
        text="GELU is more accurate than ReLU and ELU",
        metric="test_accuracy",
        contrasts=(("activation=gelu", "activation=relu"), ("activation=gelu", "activation=elu")),
    ),
)
QUESTION = Question("activation", "Activation", one_axis(BASE, "activation", FUNCTIONS), CLAIMS)
STUDY = Study("activation", "Which activation trains best?", (QUESTION,))
