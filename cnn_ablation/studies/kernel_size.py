"""What does the size of the kernels do? The notebook's six pairs, from 3,3 to 9,9.

cnn-ablation study kernel_size --num_seeds=10
"""

from cnn_ablation.design import NetworkSpec
from cnn_ablation.studies.notebook_claims import KERNEL_SIZE_CLAIMS
from cnn_ablation.studies.published import with_published
from cnn_ablation.study import Question, Study, Variant

SIZES = ((3, 3), (3, 5), (5, 5), (7, 3), (7, 9), (9, 9))
QUESTION = Question(
    name="kernel_size",
    title="Kernel size",
    variants=with_published(
        "kernel_size",
        tuple(Variant(f"k{a},{b}", NetworkSpec(kernel_size=(a, b))) for a, b in SIZES),
    ),
    claims=KERNEL_SIZE_CLAIMS,
    reference=NetworkSpec(),
)
STUDY = Study("kernel_size", "What does the size of the kernels do?", (QUESTION,))
