"""Every program lowers for TPUs and CUDA GPUs from a CPU, in the precision that was asked for.

Lowered, not run: what an accelerator computes is not seen here.
"""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
from jax.sharding import Mesh, PartitionSpec

from cnn_ablation.design import NetworkSpec, TrainingSpec
from cnn_ablation.design.training import PRECISIONS
from cnn_ablation.training.state import BATCH_AXIS, Examples, TrainConfig
from cnn_ablation.training.steps import create_train_state, evaluate, train_epoch

SMALL = NetworkSpec(stride=2, image_shape=(12, 12, 1), features=(4, 8), hidden=8)
EVERYTHING = NetworkSpec(
    image_shape=(16, 16, 2),
    features=(4, 8),
    groups=2,
    dilation=(2, 1),
    activation=("gelu", "elu"),
    norm=("batch", "group"),
    norm_groups=(1, 4),
    pool=(2, 1),
    pool_kind="avg",
    dropout=0.25,
    residual=True,
    hidden=(8, 4),
    head_dropout=0.5,
)
AUGMENTED = TrainingSpec(
    batch_size=8,
    optimizer="adamw",
    schedule="cosine",
    clip_norm=1.0,
    label_smoothing=0.1,
    augment=("shift", "flip", "erase"),
)
CASES = {
    "usual": TrainConfig(SMALL, TrainingSpec(batch_size=8), "xla"),
    "bfloat16": TrainConfig(SMALL, TrainingSpec(batch_size=8, dtype="bfloat16"), "xla"),
    "banded": TrainConfig(SMALL, TrainingSpec(batch_size=8), "banded"),
    "everything": TrainConfig(EVERYTHING, AUGMENTED, "xla", steps=6),
}


def examples(config: TrainConfig) -> Examples:
    shape = (20, *config.network.image_shape)
    return Examples(jnp.zeros(shape, jnp.uint8), jnp.zeros(20, jnp.int32))


def run_of(config: TrainConfig) -> Any:
    """A seed's whole training of an epoch: draws, trains, evaluates."""

    def run(seed: jax.Array, data: Examples) -> Any:
        state, metrics = train_epoch(create_train_state(seed, config), data, seed, seed, config)
        return metrics, evaluate(state.variables, data, config)

    return run


def lowered(function: Any, *arguments: Any) -> str:
    """The program for both platforms as text; `export` refuses what either cannot have."""
    text: str = export.export(jax.jit(function), platforms=("tpu", "cuda"))(
        *arguments
    ).mlir_module()
    return text


def products(text: str) -> list[str]:
    return [
        line
        for line in text.splitlines()
        if "stablehlo.dot_general" in line or "stablehlo.convolution" in line
    ]


def assert_no_kernels_of_the_cpu(text: str) -> None:
    targets = set(re.findall(r"custom_call @([\w.]+)", text))
    assert not [target for target in targets if "cnn_ablation" in target or "cpu" in target.lower()]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("together", [1, 3])
def test_programs_lower_for_tpus_and_gpus(case: str, together: int) -> None:
    config = CASES[case]
    run, seeds = run_of(config), jnp.arange(together)
    function = jax.vmap(run, in_axes=(0, None)) if together > 1 else run
    text = lowered(function, seeds if together > 1 else seeds[0], examples(config))
    assert_no_kernels_of_the_cpu(text)
    assert products(text)


def test_a_batch_over_a_mesh_lowers_for_tpus_and_gpus() -> None:
    config = CASES["usual"]._replace(shards=1)
    mesh = Mesh(np.array(jax.devices()[:1]), (BATCH_AXIS,))
    whole = PartitionSpec()
    sharded = jax.shard_map(
        run_of(config), mesh=mesh, in_specs=(whole, whole), out_specs=whole, check_vma=False
    )
    assert_no_kernels_of_the_cpu(lowered(sharded, jnp.int32(0), examples(config)))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_products_and_convolutions_say_their_precision(precision: str) -> None:
    """Float32 is six passes of bfloat16 on a TPU and no TF32 on a GPU: StableHLO's HIGHEST."""
    config = CASES["usual"]._replace(precision=precision)
    said = {"float32": "HIGHEST", "tf32": "HIGH", "bfloat16": "DEFAULT"}[precision]
    lines = products(lowered(run_of(config), jnp.int32(0), examples(config)))
    # Forward and backward, of convolutions and dense layers.
    assert len(lines) > 8
    for line in lines:
        found = set(re.findall(r"\b(HIGHEST|HIGH|DEFAULT)\b", line)) or {"DEFAULT"}
        assert found == {said}, line
