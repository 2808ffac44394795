"""Does normalization help, and which kind does in large and in small batches?

Claims: batch norm trains faster and is more accurate on MNIST (Ioffe and Szegedy 2015, arXiv
1502.03167, section 4.1). In convolutional networks layer norm is better than none and batch norm
better than it (Ba, Kiros and Hinton 2016, arXiv 1607.06450, section 6.7; theirs is over a whole
map, ours over the channels of a position). In small batches group norm is more accurate than batch
norm (Wu and He 2018, arXiv 1803.08494).

cnn-ablation study normalization --num_seeds=10
"""

from cnn_ablation.claims import Claim
from cnn_ablation.studies.base import BASE
from cnn_ablation.study import Question, Study, Variant, one_axis

SMALL_BATCH = 8
KINDS = ("none", "batch", "layer", "group")
CLAIMS = (
    Claim(
        name="batch-norm-helps",
        question="normalization",
        text="batch norm is more accurate than no normalization",
        metric="test_accuracy",
        contrasts=(("norm=batch", "norm=none"),),
    ),
    Claim(
        name="batch-norm-trains-faster",
        question="normalization",
        text="after the same epochs batch norm has a lower training loss than no normalization",
        metric="train_loss",
        contrasts=(("norm=batch", "norm=none"),),
        direction="smaller",
    ),
    Claim(
        name="batch-over-layer",
        question="normalization",
        text="batch norm is more accurate than layer norm, and layer norm than none",
        metric="test_accuracy",
        contrasts=(("norm=batch", "norm=layer"), ("norm=layer", "norm=none")),
    ),
)
IN_SMALL_BATCHES = Claim(
    name="group-over-batch",
    question="small batches",
    text=f"in batches of {SMALL_BATCH} group norm is more accurate than batch norm",
    metric="test_accuracy",
    contrasts=(("group, small", "batch, small"),),
)
SMALL = tuple(
    Variant(f"{kind}, small", BASE.replace(norm=kind), training={"batch_size": SMALL_BATCH})
    for kind in ("batch", "group")
)
QUESTIONS = (
    Question("normalization", "Normalization", one_axis(BASE, "norm", KINDS), CLAIMS),
    Question("small batches", f"In batches of {SMALL_BATCH}", SMALL, (IN_SMALL_BATCHES,)),
)
STUDY = Study("normalization", "Does normalization help?", QUESTIONS)
