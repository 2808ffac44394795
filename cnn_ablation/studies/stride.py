"""What does the stride of the convolutions do? Steps of 1 to 5 pixels.

cnn-ablation study stride --num_seeds=10
"""

from cnn_ablation.design import NetworkSpec
from cnn_ablation.studies.notebook_claims import STRIDE_CLAIMS
from cnn_ablation.studies.published import with_published
from cnn_ablation.study import Question, Study, Variant

QUESTION = Question(
    name="stride",
    title="Stride",
    variants=with_published(
        "stride", tuple(Variant(f"s{step}", NetworkSpec(stride=step)) for step in range(1, 6))
    ),
    claims=STRIDE_CLAIMS,
    reference=NetworkSpec(),
)
STUDY = Study("stride", "What does the stride of the convolutions do?", (QUESTION,))
