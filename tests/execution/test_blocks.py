"""Trials cut into tasks: each seed once, and no task smaller than what a worker trains at once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_ablation.design import NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.execution.blocks import blocks_of, together
from cnn_ablation.training.compute import ComputeOptions

SPECS = [TrialSpec(NetworkSpec(hidden=width), TrainingSpec()) for width in (2, 3)]


@settings(max_examples=30)
@given(
    seeds=st.integers(1, 70),
    workers=st.integers(1, 9),
    own=st.integers(1, 8),
    devices=st.sampled_from([None, 1, 2]),
)
def test_blocks_are_multiples_of_what_a_worker_trains_at_once(
    seeds: int, workers: int, own: int, devices: int | None
) -> None:
    at_once = together(ComputeOptions(seeds_per_device=own, devices=devices))
    missing = [(spec, seed) for seed in range(seeds) for spec in SPECS]
    tasks = blocks_of(missing, workers, at_once)
    assert sorted(map(hash, missing)) == sorted(
        hash((task.spec, seed)) for task in tasks for seed in task.seeds
    )
    for spec in SPECS:
        *whole, last = [len(task.seeds) for task in tasks if task.spec == spec]
        assert all(size % at_once == 0 for size in whole) and last <= max([*whole, seeds])
        assert workers > 1 or not whole
