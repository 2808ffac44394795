"""Hypothesis strategies that several tests share."""

from collections.abc import Collection, Sequence
from math import gcd

from hypothesis import assume
from hypothesis import strategies as st

from cnn_ablation.augmentations import AUGMENTATIONS
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import FieldError
from cnn_ablation.optimizers import OPTIMIZERS, SCHEDULES
from cnn_ablation.stages import ACTIVATIONS, NORMS, POOLS
from cnn_ablation.stages.head import HEADS
from cnn_ablation.stages.initializers import INITIALIZERS


@st.composite
def network_specs(draw: st.DrawFn, max_blocks: int = 3) -> NetworkSpec:
    """Any network whose maps do not vanish: one to three blocks on a small image."""
    blocks = draw(st.integers(1, max_blocks))

    def per_block(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.lists(st.integers(low, high), min_size=blocks, max_size=blocks)))

    def per_block_of(choices: Collection[str]) -> tuple[str, ...]:
        one = st.sampled_from(sorted(choices))
        return tuple(draw(st.lists(one, min_size=blocks, max_size=blocks)))

    features, channels = per_block(1, 6), draw(st.integers(1, 3))
    inputs = (channels, *features)

    def divisors(counts: Sequence[int]) -> tuple[int, ...]:
        return tuple(
            draw(st.sampled_from([n for n in range(1, count + 1) if count % n == 0]))
            for count in counts
        )

    padding = st.lists(st.sampled_from(("valid", "same")), min_size=blocks, max_size=blocks)
    try:
        return NetworkSpec(
            features=features,
            kernel_size=per_block(1, 5),
            stride=per_block(1, 3),
            padding=tuple(draw(padding)),
            pool=per_block(1, 3),
            dilation=per_block(1, 2),
            activation=per_block_of(ACTIVATIONS),
            norm=per_block_of(NORMS),
            pool_kind=per_block_of(POOLS),
            dropout=draw(st.sampled_from((0.0, 0.5))),
            groups=divisors([gcd(*pair) for pair in zip(inputs, features, strict=False)]),
            bias=draw(st.booleans()),
            norm_groups=divisors(features),
            residual=draw(st.booleans()),
            head=draw(st.sampled_from(HEADS)),
            head_dropout=draw(st.sampled_from((0.0, 0.5))),
            init=draw(st.sampled_from(sorted(INITIALIZERS))),
            bias_init=draw(st.sampled_from((0.0, 0.1))),
            norm_momentum=draw(st.sampled_from((0.9, 0.99))),
            norm_epsilon=draw(st.sampled_from((1e-3, 1e-5))),
            hidden=tuple(draw(st.lists(st.integers(1, 8), max_size=2))),
            classes=draw(st.integers(2, 6)),
            image_shape=(
                draw(st.integers(6, 20)),
                draw(st.integers(6, 20)),
                channels,
            ),
        )
    except FieldError:
        assume(False)
        raise


@st.composite
def trial_specs(draw: st.DrawFn) -> TrialSpec:
    """Any network, trained by any optimizer and schedule with any options on any data."""
    several = st.lists(st.sampled_from(sorted(AUGMENTATIONS)), unique=True)
    training = TrainingSpec(
        epochs=2,
        batch_size=draw(st.integers(1, 20)),
        optimizer=draw(st.sampled_from(sorted(OPTIMIZERS))),
        schedule=draw(st.sampled_from(sorted(SCHEDULES))),
        warmup=draw(st.sampled_from((0.0, 0.5, 2.0))),
        weight_decay=draw(st.sampled_from((None, 0.0, 0.1))),
        clip_norm=draw(st.sampled_from((0.0, 1.0))),
        label_smoothing=draw(st.sampled_from((0.0, 0.1))),
        augment=draw(several),
    )
    data = DataSpec(
        train_fraction=draw(st.sampled_from((1.0, 0.5, 0.01))),
        label_noise=draw(st.sampled_from((0.0, 0.3))),
        input_norm=draw(st.sampled_from(("scale", "standardize"))),
    )
    return TrialSpec(draw(network_specs()), training, data)
