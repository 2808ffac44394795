"""Does a falling learning rate help, and a warm-up before a high one?

Claims: under a fixed number of epochs a rate that falls to 0 is more accurate than a constant one,
and a linear fall more accurate than a cosine (Li, Yumer and Ramanan 2020, Budgeted training, arXiv
1905.04753; the cosine is Loshchilov and Hutter's of 2016, arXiv 1608.03983). In large batches at a
high rate a gradual warm-up helps (Goyal et al. 2017, arXiv 1706.02677, section 2.2).

cnn-ablation study schedule --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, Variant

SGD: dict[str, object] = {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.05}
FALLING = tuple(
    Variant(name, BASE, training={**SGD, "schedule": name})
    for name in ("constant", "linear", "cosine")
)
# The rate is that of batches of 128, times eight as the batch is.
LARGE: dict[str, object] = {**SGD, "batch_size": 1024, "learning_rate": 0.4, "schedule": "cosine"}
LARGE_BATCHES = (
    Variant("no warm-up", BASE, training=LARGE),
    Variant("warm-up", BASE, training={**LARGE, "warmup": 0.5}),
)
CLAIMS = (
    Claim(
        name="falling-helps",
        question="schedule",
        text="a rate that falls to 0 is more accurate than a constant one",
        metric="test_accuracy",
        contrasts=(("linear", "constant"), ("cosine", "constant")),
    ),
    Claim(
        name="linear-over-cosine",
        question="schedule",
        text="a linear fall is more accurate than a cosine",
        metric="test_accuracy",
        contrasts=(("linear", "cosine"),),
    ),
)
WARM_UP = Claim(
    name="warm-up-helps",
    question="warm-up",
    text="in batches of 1024 at eight times the rate half an epoch of warm-up is more accurate",
    metric="test_accuracy",
    contrasts=(("warm-up", "no warm-up"),),
)
QUESTIONS = (
    Question("schedule", "Schedule", FALLING, CLAIMS),
    Question("warm-up", "Warm-up in large batches", LARGE_BATCHES, (WARM_UP,)),
)
STUDY = Study("schedule", "Does a falling learning rate help?", QUESTIONS)
