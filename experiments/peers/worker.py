"""One training program as a worker process: a JSON request a line in, a JSON answer a line out.

    {"command": "start", "spec": {...}, "threads": 2, ...}  ->  {"params": 296522, ...}
    {"command": "epoch"}                                    ->  {"train_seconds": 5.1, ...}
    {"command": "quit"}                                     ->  (the process ends)

The benchmark keeps several workers alive and lets them train one epoch each in turn, so that a
machine whose speed drifts slows all of them alike.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO

TRAIN_EXAMPLES = 60_000


@dataclass(frozen=True)
class Block:
    """One convolution block; fields and values as cnn_ablation.design.Block has them.

    These programs run where this project need not be installed, so that it is written once more;
    a field that is missing or not known here is an error.
    """

    features: int
    kernel_size: int
    stride: int
    padding: str
    pool: int
    activation: str
    norm: str
    norm_momentum: float
    norm_epsilon: float
    norm_groups: int
    pool_kind: str
    dropout: float
    dilation: int
    groups: int
    bias: bool
    residual: bool

    @property
    def reach(self) -> int:
        """Pixels along one axis from the kernel's first tap to its last, both counted."""
        return (self.kernel_size - 1) * self.dilation + 1


@dataclass(frozen=True)
class Job:
    """What to train.

    Attributes:
        spec: network and training as the project's JSON: a field at its usual value may be left
            out.
        layers: the network with nothing left out, for programs that do not know this project:
            blocks, head, hidden, head_dropout.
        training: the training likewise: optimizer, schedule and augmentations by name, and every
            option.
        threads: how many may be used.
        options: the framework's own.
    """

    spec: dict[str, Any]
    layers: dict[str, Any]
    training: dict[str, Any]
    threads: int
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    def blocks(self) -> list[Block]:
        """The convolution blocks, first to last.

        Raises:
            TypeError: the network has a field that these programs do not know: they would train
                another network.
        """
        return [Block(**block) for block in self.layers["blocks"]]

    @property
    def epochs(self) -> int:
        """How many will be asked for."""
        return int(self.training["epochs"])

    @property
    def batch_size(self) -> int:
        """Images of a step."""
        return int(self.training["batch_size"])

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.epochs * -(-TRAIN_EXAMPLES // self.batch_size)


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set, then one over the test set; seconds of wall time."""

    train_seconds: float
    eval_seconds: float
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float


class Trainer(Protocol):
    """A model that can be trained for one epoch after the other."""

    @property
    def params(self) -> int:
        """Number of trainable parameters."""

    def epoch(self) -> Epoch:
        """Trains on every training example once, evaluates on every test example."""


def serve(start: Callable[[Job], Trainer]) -> None:
    """Answers requests until told to quit or until standard input ends."""
    answers = _claim_stdout()
    trainer: Trainer | None = None
    for line in sys.stdin:
        request = json.loads(line)
        command = request.pop("command")
        if command == "quit":
            break
        if command == "start":
            trainer = start(Job(**request))
            answer: dict[str, Any] = {"params": trainer.params, "packages": packages()}
        else:
            assert command == "epoch" and trainer is not None, line
            answer = asdict(trainer.epoch())
        answer |= {"finished_at": time.time(), "peak_memory_bytes": peak_memory_bytes()}
        print(json.dumps(answer), file=answers, flush=True)


def packages() -> dict[str, str]:
    """Returns the versions of what was imported to train with."""
    names = [name for name in ("jax", "torch", "keras", "tensorflow") if name in sys.modules]
    return {name: str(sys.modules[name].__version__) for name in names}


def peak_memory_bytes() -> int:
    """Returns the largest resident memory that this process ever had."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the parent's memory from before exec
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _claim_stdout() -> TextIO:
    """Returns the real standard output; whatever a library prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers
