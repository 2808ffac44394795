"""What the benchmark measured, and the figures made from it."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterable
from typing import Any

from cnn_ablation.design import NetworkSpec
from cnn_ablation.design.summary import summarize
from experiments.peers.contestants import OURS, OWN

TRAIN_EXAMPLES = 60_000


@dataclasses.dataclass
class Course:
    """One contestant's course over one design, in a process of its own.

    Attributes:
        contestant: its name.
        framework: what it is a variant of.
        packages: versions of what it trained with.
        params: parameters it trained.
        steps: of an epoch.
        ready_seconds: from the start of the process until it could train.
        first_epoch_seconds: from the start of the process until its first epoch was trained.
        whole_seconds: from the start of the process until the last epoch's test figures, of the
            epochs that it trained at a stretch.
        epochs: those, as the worker reported them.
        rounds: the epochs that it trained in turn with the others.
        peak_memory_bytes: largest resident memory of the process.
    """

    contestant: str
    framework: str
    packages: dict[str, str]
    params: int
    steps: int
    ready_seconds: float
    first_epoch_seconds: float = math.nan
    whole_seconds: float = math.nan
    epochs: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    rounds: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    peak_memory_bytes: int = 0

    @property
    def times(self) -> list[float]:
        """Training seconds of the epochs taken in turn, or without those of all but the first."""
        timed = self.rounds or self.epochs[1:] or self.epochs
        return [epoch["train_seconds"] for epoch in timed]

    @property
    def train_seconds(self) -> float:
        """Median of the times."""
        return statistics.median(self.times)

    @property
    def first_step_seconds(self) -> float:
        """From the start of the process to the end of the first step.

        No framework tells when a step of an epoch ends, so it is the end of the first epoch less
        the steps after the first, at the pace of later epochs.
        """
        return self.first_epoch_seconds - self.train_seconds * (1 - 1 / self.steps)


@dataclasses.dataclass
class Design:
    """One design's courses, and the machine's matrix product rate taken beside them."""

    name: str
    network: NetworkSpec
    gemm_gflops: float
    courses: list[Course]

    def fastest(self, framework: str) -> Course | None:
        """The framework's variant that trains an epoch fastest, of those that took the rounds."""
        mine = [course for course in self.courses if course.framework == framework]
        mine = [course for course in mine if course.rounds] or mine
        return min(mine, key=lambda course: course.train_seconds, default=None)

    def least(self, framework: str, figure: str) -> float | None:
        """The least of one of Course's figures over the framework's variants."""
        mine = [course for course in self.courses if course.framework == framework]
        return min((getattr(course, figure) for course in mine), default=None)

    @property
    def frameworks(self) -> list[str]:
        """The frameworks that trained this design, this project's first."""
        return list(dict.fromkeys(course.framework for course in self.courses))

    @property
    def times_faster(self) -> float | None:
        """Seconds an epoch of the best peer over this project's; above 1 this project is faster."""
        peers = [self.fastest(name) for name in self.frameworks if name not in OWN]
        ours, best = self.fastest(OURS), [peer.train_seconds for peer in peers if peer]
        return min(best) / ours.train_seconds if ours and best else None

    @property
    def others_share(self) -> float | None:
        """Mean share of the processors that others used while epochs were timed, where known.

        Threads that wait for each other by spinning (OpenMP's, in PyTorch) lose far more than this
        share: above a few per cent the comparison says nothing.
        """
        epochs = [epoch for course in self.courses for epoch in course.rounds or course.epochs[1:]]
        shares = [epoch["others_share"] for epoch in epochs if epoch["others_share"] is not None]
        return statistics.mean(shares) if shares else None

    @property
    def epoch_flop(self) -> int:
        """Useful floating point operations of one training epoch."""
        return useful_flop(self.network) * TRAIN_EXAMPLES

    def gflops(self, course: Course) -> float:
        """Useful GFLOP/s of a course's training."""
        return self.epoch_flop / course.train_seconds / 1e9

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "design": self.name,
            "network": self.network.to_json(),
            "params": summarize(self.network).params,
            "macs": summarize(self.network).macs,
            "epoch_flop": self.epoch_flop,
            "gemm_gflops": self.gemm_gflops,
            "others_share": self.others_share,
            "times_faster_than_best_peer": self.times_faster,
            "courses": [
                dataclasses.asdict(course)
                | {
                    "train_seconds": course.train_seconds,
                    "first_step_seconds": course.first_step_seconds,
                    "gflops": self.gflops(course),
                }
                for course in self.courses
            ],
        }


def useful_flop(network: NetworkSpec) -> int:
    """Useful floating point operations of training on one image once.

    Two for each multiply-accumulate of the forward pass, of every kernel's gradient, and of every
    layer's input gradient but the first's; activations, pooling and the optimiser are not counted.
    """
    summary = summarize(network)
    return 2 * (3 * summary.macs - summary.layers[0].macs)


def geometric_mean(values: Iterable[float | None]) -> float | None:
    """Geometric mean of those that are there."""
    present = [value for value in values if value is not None]
    return statistics.geometric_mean(present) if present else None
