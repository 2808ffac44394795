"""Trials that are missing, cut into tasks for workers."""

from collections.abc import Sequence

from cnn_ablation.design import TrialSpec
from cnn_ablation.execution.executors import Task
from cnn_ablation.training.compute import ComputeOptions


def blocks_of(
    missing: Sequence[tuple[TrialSpec, int]], workers: int, together: int = 1
) -> list[Task]:
    """Blocks of one design's seeds: all of them for one worker, smaller ones for several.

    Args:
        missing: the trials.
        workers: how many there are.
        together: how many seeds a worker trains at once; but for a design's last, blocks are
            multiples of it.
    """
    seeds_of: dict[TrialSpec, list[int]] = {}
    for spec, seed in missing:
        seeds_of.setdefault(spec, []).append(seed)
    tasks = []
    for spec, seeds in seeds_of.items():
        # Two blocks a worker even out what compiling once a block costs and idle workers do.
        rounds = -(-len(seeds) // together)
        size = together * (rounds if workers == 1 else -(-rounds // (2 * workers)))
        tasks += [Task(spec, tuple(seeds[i : i + size])) for i in range(0, len(seeds), size)]
    return tasks


def together(compute: ComputeOptions) -> int:
    """How many seeds a worker trains at once."""
    return compute.seeds_per_device * (compute.devices or 1)
