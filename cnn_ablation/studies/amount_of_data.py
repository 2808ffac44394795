"""How much do more images help, and how much do wrong labels harm?

Claims: accuracy grows with the number of images, by the same amount each time there are several
times as many (Sun et al. 2017, arXiv 1707.02968): the growth is judged. A network on MNIST bears
many wrong labels, with some loss of accuracy (Rolnick et al. 2017, arXiv 1705.10694): the loss is
judged.

Epochs are the same for all, so that fewer images are fewer steps too.

cnn-ablation study amount_of_data --num_seeds=10
"""

from cnn_ablation.claims import Claim, chain
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, one_axis

SHARES = (1.0, 0.3, 0.1, 0.03, 0.01)
NOISE = (0.0, 0.1, 0.3)
MORE = Claim(
    name="more-is-more-accurate",
    question="amount",
    text="three times the images are more accurate",
    metric="test_accuracy",
    contrasts=chain(*(f"train_fraction={share}" for share in SHARES)),
)
WRONG = Claim(
    name="wrong-labels-harm",
    question="labels",
    text="fewer wrong labels are more accurate",
    metric="test_accuracy",
    contrasts=chain(*(f"label_noise={share}" for share in NOISE)),
)
QUESTIONS = (
    Question("amount", "Images to train on", one_axis(BASE, "train_fraction", SHARES), (MORE,)),
    Question("labels", "Wrong labels", one_axis(BASE, "label_noise", NOISE), (WRONG,)),
)
STUDY = Study("amount_of_data", "How much do more images help?", QUESTIONS)
