"""What does max-pooling do? None, or windows of 2, 3 and 4 pixels after each convolution.

cnn-ablation study pooling --num_seeds=10
"""

from cnn_ablation.design import NetworkSpec
from cnn_ablation.studies.notebook_claims import POOLING_CLAIMS
from cnn_ablation.studies.published import with_published
from cnn_ablation.study import Question, Study, Variant

POOLS = {"pool none": 1, "pool 2": 2, "pool 3": 3, "pool 4": 4}
QUESTION = Question(
    name="pooling",
    title="Pooling",
    variants=with_published(
        "pooling",
        tuple(Variant(label, NetworkSpec(pool=window)) for label, window in POOLS.items()),
    ),
    claims=POOLING_CLAIMS,
    reference=NetworkSpec(),
)
STUDY = Study("pooling", "What does max-pooling do?", (QUESTION,))
