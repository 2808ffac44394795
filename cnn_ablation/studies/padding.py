"""What does zero padding do? Same in both convolutions, in the first, or in neither.

cnn-ablation study padding --num_seeds=10
"""

from cnn_ablation.design import NetworkSpec
from cnn_ablation.studies.notebook_claims import PADDING_CLAIMS
from cnn_ablation.studies.published import with_published
from cnn_ablation.study import Question, Study, Variant

PADDINGS = (("same", "same"), ("same", "valid"), ("valid", "valid"))
QUESTION = Question(
    name="padding",
    title="Padding",
    variants=with_published(
        "padding",
        tuple(Variant(f"{a},{b}", NetworkSpec(padding=(a, b))) for a, b in PADDINGS),
    ),
    claims=PADDING_CLAIMS,
    # Of hidden widths near 32 this is the first that all three come within 1 % of.
    reference=NetworkSpec(hidden=34),
)
STUDY = Study("padding", "What does zero padding do?", (QUESTION,))
