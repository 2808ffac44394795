"""The timing pass: each design alone on the device, all of them in turn, round after round.

Trials may share a machine, and then their times say little. Here one epoch runs at a time; every
design is warmed up with an epoch that does not count; programs are compiled before; and each round
times every design once, in an order of its own, so that a machine that drifts slows them all alike.
"""

import hashlib
import os
import platform
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cnn_ablation.claims.words import plural
from cnn_ablation.design import TrialSpec
from cnn_ablation.display.progress import Progress
from cnn_ablation.execution.datasets import Datasets
from cnn_ablation.execution.shared_rounds import SharedRounds
from cnn_ablation.study.results import Timing
from cnn_ablation.study.store import Store
from cnn_ablation.training.compute import ComputeOptions
from cnn_ablation.training.records import EpochRecord
from cnn_ablation.training.trainer import Trainer

Design = tuple[TrialSpec, int]


def describe_machine(environment: Mapping[str, Any], lowering: str) -> dict[str, Any]:
    """What times depend on: those taken on two different machines are never put in one table."""
    node = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "node": node,
        "device": environment["device"],
        "cores": cores,
        "convolution": lowering,
        "jaxlib": environment["packages"]["jaxlib"],
    }


def timing_pass(
    store: Store,
    datasets: Datasets,
    rounds: int,
    machine: Mapping[str, Any],
    shared: SharedRounds | None = None,
) -> None:
    """Adds rounds to a store until it has as many of this machine as wanted.

    Only designs of which a trial was completed are timed: the others have no accuracy to be
    compared. A round that is broken off leaves nothing and is taken anew.

    Args:
        store: the study's folder.
        datasets: the images.
        rounds: how many are wanted.
        machine: what times depend on.
        shared: rounds that other studies took, which are used first; those that are taken now are
            added to them.

    Raises:
        InputError: the store cannot be written.
    """
    done = store.rounds(machine)
    if done >= rounds:
        return
    designs = _designs(store)
    if shared is not None:
        done += _take(shared, store, [spec for spec, _ in designs], rounds - done, machine)
        if done >= rounds:
            return
    with Progress((rounds - done + 1) * len(designs), "epoch") as progress:
        progress.say(f"timing   warming up {len(designs)} designs, each alone on the device")
        pace = _Pace(store, datasets, progress)
        for spec, seed in designs:
            pace.time(spec, seed)
        for number in range(done + 1, rounds + 1):
            begin = time.perf_counter()
            times = []
            for spec, seed in _order(designs, number):
                epoch = pace.time(spec, seed)
                times.append(Timing(spec, number, epoch.train_seconds, epoch.eval_seconds))
            store.add_round(times, machine)
            if shared is not None:
                shared.add(times)
            seconds = time.perf_counter() - begin
            progress.say(f"timing   round {number}/{rounds} took {seconds:.1f} s")


def _take(
    shared: SharedRounds,
    store: Store,
    designs: Sequence[TrialSpec],
    wanted: int,
    machine: Mapping[str, Any],
) -> int:
    """Copies rounds of other studies that this one does not have; returns how many."""
    own = {(time.spec, time.train_seconds) for time in store.results().timings}
    found = [
        times
        for times in shared.of(designs)
        if not all((time.spec, time.train_seconds) in own for time in times)
    ][:wanted]
    for times in found:
        store.add_round(times, machine)
    if found:
        print(f"timing   {plural(len(found), 'round')} that other studies took of these designs")
    return len(found)


def _order(designs: Sequence[Design], number: int) -> Sequence[Design]:
    """A round's order: drawn for every two rounds, and the second time taken from the end."""
    drawn = random.Random((number + 1) // 2).sample(designs, len(designs))
    return drawn if number % 2 else drawn[::-1]


class _Pace:
    """Times one epoch of a design."""

    def __init__(self, store: Store, datasets: Datasets, progress: Progress) -> None:
        self._compute = ComputeOptions(conv=store.plan.lowering)
        self._datasets, self._progress = datasets, progress

    def time(self, spec: TrialSpec, seed: int) -> EpochRecord:
        """Trains one epoch from a seed's start; its executables are compiled before."""
        one = spec.one_epoch()
        trainer = Trainer(one, self._datasets.get(spec.data), self._compute)
        trial = trainer.train(seed)
        self._progress.advance()
        return trial.record.epochs[0]


def _designs(store: Store) -> Sequence[Design]:
    """The designs with a completed trial, each with the seed of its first one."""
    found: dict[TrialSpec, int] = {}
    for trial in store.results().trials:
        if trial.status == "completed" and store.resolved.labels(trial.spec):
            found.setdefault(trial.spec, trial.seed)
    return list(found.items())
