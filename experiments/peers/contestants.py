"""The contestants of the benchmark, and one of them at work in a process of its own."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnn_ablation.system.caches import user_cache_dir
from experiments.peers.processors import Share
from experiments.peers.worker import Job

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True)
class Contestant:
    """One way to train a design.

    Attributes:
        name: as in --contestants and the results.
        framework: what it is a variant of; of each framework the best variant counts.
        worker: module under experiments.peers.
        requires: packages without which it is absent.
        options: the worker's own.
        environment: variables set for the worker.
        keeps_programs: whether a first process leaves compiled programs for later ones.
        cache_variable: the variable that names the folder in which it keeps them, where it would
            else be one in a temporary folder that users share.
    """

    name: str
    framework: str
    worker: str
    requires: tuple[str, ...]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    keeps_programs: bool = False
    cache_variable: str | None = None


OURS = "cnn_ablation"
WITHOUT_COMPILER = "cnn_ablation without a compiler"
OWN = (OURS, WITHOUT_COMPILER)
_ON_TENSORFLOW = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
CONTESTANTS = (
    Contestant("ours", OURS, "ours", ("jax",), keeps_programs=True),
    Contestant(
        "ours_banded", WITHOUT_COMPILER, "ours", ("jax",), {"conv": "banded"}, keeps_programs=True
    ),
    Contestant("pytorch", "PyTorch", "pytorch", ("torch",), {"channels_last": True}),
    Contestant(
        "pytorch_compile",
        "PyTorch",
        "pytorch",
        ("torch",),
        {"channels_last": True, "compile": ["model", "optimizer"]},
        keeps_programs=True,
        cache_variable="TORCHINDUCTOR_CACHE_DIR",
    ),
    Contestant(
        "keras",
        "Keras",
        "keras",
        ("keras", "tensorflow"),
        {"jit_compile": False, "steps_per_execution": 64},
        _ON_TENSORFLOW,
    ),
    Contestant(
        "keras_jax",
        "Keras",
        "keras",
        ("keras", "jax"),
        {"steps_per_execution": 16},
        {
            "KERAS_BACKEND": "jax",
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        },
        keeps_programs=True,
        cache_variable="JAX_COMPILATION_CACHE_DIR",
    ),
)


class WorkerError(Exception):
    """A worker ended without an answer; the message is the last line of what it said."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a worker answered.

    Attributes:
        content: its answer; others_share in it is the share of the processors that others used.
        seconds: from the request to the end of what it asked for.
    """

    content: dict[str, Any]
    seconds: float


class Process:
    """A contestant in its own process; its standard error goes to a file."""

    def __init__(self, contestant: Contestant, python: str, log: Path) -> None:
        self.contestant = contestant
        self._log = log
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [python, "-m", f"experiments.peers.{contestant.worker}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env={**on_cpu(os.environ), **contestant.environment, **_own_cache(contestant)},
            )

    def start(self, job: Job) -> Answer:
        """Builds and compiles a design.

        Raises:
            WorkerError: the worker ended instead.
        """
        job = dataclasses.replace(job, options=dict(self.contestant.options))
        return self._ask("start", **dataclasses.asdict(job))

    def epoch(self) -> Answer:
        """Trains one epoch and evaluates.

        Raises:
            WorkerError: the worker ended instead.
        """
        return self._ask("epoch")

    def quit(self) -> None:
        """Ends the process and waits for its end."""
        if self._process.poll() is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
        self._process.wait()

    def _ask(self, command: str, **fields: Any) -> Answer:
        assert self._process.stdin is not None and self._process.stdout is not None
        asked_at, share = time.time(), Share(self._process.pid)
        try:
            self._process.stdin.write(json.dumps({"command": command, **fields}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.quit()
            said = self._log.read_text(errors="replace").strip().splitlines()
            raise WorkerError(f"{self.contestant.name}: {said[-1] if said else 'no message'}")
        content = json.loads(line) | {"others_share": share.others()}
        return Answer(content, content["finished_at"] - asked_at)


def _own_cache(contestant: Contestant) -> dict[str, str]:
    """Where a contestant keeps programs: a folder of the user's own, as they are run again."""
    if contestant.cache_variable is None:
        return {}
    return {contestant.cache_variable: str(user_cache_dir("peers", contestant.name))}


def on_cpu(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment with accelerators hidden: this benchmark is about CPUs."""
    return {**environment, "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}


def missing_packages(contestant: Contestant, python: str) -> list[str]:
    """Returns the packages that a contestant needs and an interpreter does not have."""
    code = (
        "import importlib.util as u, sys; print(*[n for n in sys.argv[1:] if not u.find_spec(n)])"
    )
    command = [python, "-c", code, *contestant.requires]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
