"""Which changes of the training images help, and does a wrong one harm?

Claims: shifted copies of the images lower the error on MNIST (Simard, Steinkraus and Platt 2003,
Best practices for convolutional neural networks applied to visual document analysis, ICDAR).
Random erasing lowers the error (Zhong et al. 2017, arXiv 1708.04896). Mirrored digits are other
digits or none, so that flips do not suit them (Shorten and Khoshgoftaar 2019, A survey on image
data augmentation for deep learning, Journal of Big Data 6).

cnn-ablation study augmentation --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, Variant

CHANGES: dict[str, tuple[str, ...]] = {
    "none": (),
    "shift": ("shift",),
    "flip": ("flip",),
    "erase": ("erase",),
    "shift, erase": ("shift", "erase"),
}
VARIANTS = tuple(Variant(label, BASE, training={"augment": c}) for label, c in CHANGES.items())
CLAIMS = (
    Claim(
        name="shift-helps",
        question="augmentation",
        text="shifted images are more accurate than plain ones",
        metric="test_accuracy",
        contrasts=(("shift", "none"),),
    ),
    Claim(
        name="erasing-helps",
        question="augmentation",
        text="random erasing is more accurate than plain images, alone and beside shifts",
        metric="test_accuracy",
        contrasts=(("erase", "none"), ("shift, erase", "shift")),
    ),
    Claim(
        name="flips-harm-digits",
        question="augmentation",
        text="on digits plain images are more accurate than flipped ones",
        metric="test_accuracy",
        contrasts=(("none", "flip"),),
    ),
)
QUESTION = Question("augmentation", "Augmentation", VARIANTS, CLAIMS)
STUDY = Study("augmentation", "Which changes of the images help?", (QUESTION,))
