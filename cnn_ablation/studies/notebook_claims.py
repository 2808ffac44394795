"""The notebook's conclusions as claims that can be judged.

Source: Homework_3.ipynb of the public repository malet-ds/GlobalAIHubDLCourse, the findings cell
that ends each of its four parts, put here in our own words. The designs are its own: kernel sizes
'k3,3' (first and second convolution) to 'k9,9', strides 's1' to 's5', the padding of both layers,
and the pool window after both.

Where an ordering is claimed the contrasts are its neighbours, which imply the rest: fewer contrasts
share the level. Accuracy claims take the default margin of 0.1 points; times and parameter counts
are claims of direction alone. The parameter counts are facts and are expected to hold; nothing else
is expected, because finding out is what the study is for.
"""

from __future__ import annotations

from cnn_ablation.claims import Claim, Contrast, chain

# The notebook proposes to repeat its stride experiment at 20 epochs.
LONGER = 20

# A kernel is larger where it is larger in one layer and no smaller in the other, so 5,5 and 7,3
# cannot be ranked. These six steps, each (larger, smaller), imply every pair that can.
LARGER_KERNELS: tuple[Contrast, ...] = (
    ("k3,5", "k3,3"),
    ("k7,3", "k3,3"),
    ("k5,5", "k3,5"),
    ("k7,9", "k5,5"),
    ("k7,9", "k7,3"),
    ("k9,9", "k7,9"),
)

STRIDES_UP = chain("s5", "s4", "s3", "s2", "s1")
STRIDES_DOWN = chain("s1", "s2", "s3", "s4", "s5")
VALID_OVER_SAME: tuple[Contrast, ...] = (
    ("valid,valid", "same,same"),
    ("valid,valid", "same,valid"),
)
MORE_POOLING = chain("pool 4", "pool 3", "pool 2", "pool none")

KERNEL_SIZE_CLAIMS = (
    Claim(
        name="kernel-accuracy",
        question="kernel_size",
        text="3x3 kernels are the most accurate, 5x5 kernels come next",
        metric="test_accuracy",
        contrasts=(
            ("k3,3", "k5,5"),
            ("k5,5", "k3,5"),
            ("k5,5", "k7,3"),
            ("k5,5", "k7,9"),
            ("k5,5", "k9,9"),
        ),
    ),
    Claim(
        name="kernel-longer",
        question="kernel_size",
        text="with longer training 7x7 and 9x9 kernels still do not catch up with 3x3",
        metric="test_accuracy",
        contrasts=(("k3,3", "k7,3"), ("k3,3", "k7,9"), ("k3,3", "k9,9")),
        min_epochs=LONGER,
    ),
    Claim(
        name="kernel-time",
        question="kernel_size",
        text="larger kernels train slower",
        metric="train_seconds",
        contrasts=LARGER_KERNELS,
        kind="timing",
    ),
    Claim(
        name="kernel-params",
        question="kernel_size",
        text="larger kernels mean fewer parameters",
        metric="params",
        contrasts=LARGER_KERNELS,
        direction="smaller",
        kind="exact",
        expected="holds",
    ),
)

STRIDE_CLAIMS = (
    Claim(
        name="stride-time",
        question="stride",
        text="a larger stride trains faster",
        metric="train_seconds",
        contrasts=STRIDES_UP,
        direction="smaller",
        kind="timing",
    ),
    Claim(
        name="stride-params",
        question="stride",
        text="a larger stride means fewer parameters",
        metric="params",
        contrasts=STRIDES_UP,
        direction="smaller",
        kind="exact",
        expected="holds",
    ),
    Claim(
        name="stride-accuracy",
        question="stride",
        text="a lower stride is more accurate",
        metric="test_accuracy",
        contrasts=STRIDES_DOWN,
    ),
    Claim(
        name="stride-longer",
        question="stride",
        text="a lower stride is still more accurate after 20 epochs",
        metric="test_accuracy",
        contrasts=STRIDES_DOWN,
        min_epochs=LONGER,
    ),
)

PADDING_CLAIMS = (
    Claim(
        name="padding-accuracy",
        question="padding",
        text="valid padding is more accurate than same",
        metric="test_accuracy",
        contrasts=VALID_OVER_SAME,
    ),
    Claim(
        name="padding-time",
        question="padding",
        text="valid padding trains faster than same",
        metric="train_seconds",
        contrasts=VALID_OVER_SAME,
        direction="smaller",
        kind="timing",
    ),
    Claim(
        name="padding-params",
        question="padding",
        text="valid padding means fewer parameters than same",
        metric="params",
        contrasts=VALID_OVER_SAME,
        direction="smaller",
        kind="exact",
        expected="holds",
    ),
)

POOLING_CLAIMS = (
    Claim(
        name="pooling-accuracy",
        question="pooling",
        text="3x3 pooling is more accurate than 2x2 and 4x4",
        metric="test_accuracy",
        contrasts=(("pool 3", "pool 2"), ("pool 3", "pool 4")),
    ),
    Claim(
        name="pooling-time",
        question="pooling",
        text="more pooling trains faster",
        metric="train_seconds",
        contrasts=MORE_POOLING,
        direction="smaller",
        kind="timing",
    ),
    Claim(
        name="pooling-params",
        question="pooling",
        text="more pooling means fewer parameters",
        metric="params",
        contrasts=MORE_POOLING,
        direction="smaller",
        kind="exact",
        expected="holds",
    ),
)

CLAIMS_BY_QUESTION: dict[str, tuple[Claim, ...]] = {
    "kernel_size": KERNEL_SIZE_CLAIMS,
    "stride": STRIDE_CLAIMS,
    "padding": PADDING_CLAIMS,
    "pooling": POOLING_CLAIMS,
}
NOTEBOOK_CLAIMS: tuple[Claim, ...] = tuple(
    claim for claims in CLAIMS_BY_QUESTION.values() for claim in claims
)
