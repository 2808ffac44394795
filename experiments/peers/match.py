"""Contestants training the same designs: each alone and cold, then in turn, then all in a sweep."""

from __future__ import annotations

import dataclasses
import math
import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnn_ablation.design import NetworkSpec, TrialSpec
from cnn_ablation.design.summary import summarize
from experiments.peers.contestants import OWN, ROOT, Contestant, Process, WorkerError
from experiments.peers.figures import TRAIN_EXAMPLES, Course, Design
from experiments.peers.worker import Job

MIN_ACCURACY = 0.3  # chance is 0.1; stride 5, the weakest design, passes 0.5 after 2 epochs


@dataclasses.dataclass(frozen=True)
class Match:
    """Who trains, and how.

    Attributes:
        contestants: those that are present.
        peer_python: the interpreter of the peers.
        threads: that each may use.
        batch_size: images of a step.
        epochs: at a stretch, in the cold process and in the sweep.
        rounds: epochs in turn.
        logs: folder for what the workers say.
    """

    contestants: Sequence[Contestant]
    peer_python: str
    threads: int
    batch_size: int
    epochs: int
    rounds: int
    logs: Path

    def play(self, name: str, spec: TrialSpec) -> Design:
        """Trains one design in every contestant, then rounds in the best of each framework.

        A contestant that cannot train it is named and left out.

        Raises:
            WorkerError: one ended later, in the rounds.
        """
        job = self._job(spec)
        processes: dict[str, Process] = {}
        courses: list[Course] = []
        for contestant in self.contestants:
            try:
                if contestant.keeps_programs:
                    self._warm_caches(contestant, job)
                process = self._process(contestant)
                courses.append(self._cold(contestant, process, job))
                processes[contestant.name] = process
            except WorkerError as error:
                print(f"{name}: left out, {error}", flush=True)
        design = Design(name, spec.network, self.gemm_gflops(), courses)
        best = [design.fastest(framework) for framework in design.frameworks]
        finalists = [course for course in best if course]
        for loser in processes.keys() - {course.contestant for course in finalists}:
            processes.pop(loser).quit()
        self._take_turns(finalists, processes)
        for process in processes.values():
            process.quit()
        return design

    def sweep(self, designs: Mapping[str, TrialSpec], names: Sequence[str]) -> dict[str, float]:
        """Seconds that each named contestant needs for all designs in one cold process.

        They take turns design by design, and each is only timed while it works.

        Raises:
            WorkerError: one of them ended.
        """
        chosen = [contestant for contestant in self.contestants if contestant.name in names]
        processes: dict[str, Process] = {}
        seconds = dict.fromkeys((contestant.name for contestant in chosen), 0.0)
        for spec in designs.values():
            job = self._job(spec, self.epochs)
            for contestant in chosen:
                if contestant.name not in processes:
                    processes[contestant.name] = self._process(contestant)
                process = processes[contestant.name]
                seconds[contestant.name] += process.start(job).seconds
                seconds[contestant.name] += sum(process.epoch().seconds for _ in range(self.epochs))
        for process in processes.values():
            process.quit()
        return seconds

    def gemm_gflops(self) -> float:
        """The machine's matrix product rate at this moment."""
        threads = {"OPENBLAS_NUM_THREADS": str(self.threads), "OMP_NUM_THREADS": str(self.threads)}
        # These two make OpenBLAS use kernels of an older processor.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
        command = [sys.executable, "-m", "experiments.peers.gemm"]
        done = subprocess.run(
            command, cwd=ROOT, env=inherited | threads, capture_output=True, text=True, check=True
        )
        return float(done.stdout)

    def _process(self, contestant: Contestant) -> Process:
        python = sys.executable if contestant.framework in OWN else self.peer_python
        return Process(contestant, python, self.logs / f"{contestant.name}.log")

    def _job(self, spec: TrialSpec, epochs: int | None = None) -> Job:
        training = spec.training.replace(
            epochs=epochs or self.epochs + self.rounds, batch_size=self.batch_size
        )
        return job_of(dataclasses.replace(spec, training=training), self.threads)

    def _warm_caches(self, contestant: Contestant, job: Job) -> None:
        """Leaves the programs of a design in the cache, by a process that is not timed."""
        process = self._process(contestant)
        process.start(job)
        process.epoch()
        process.quit()

    def _cold(self, contestant: Contestant, process: Process, job: Job) -> Course:
        """Trains at a stretch, timed from the start of the process."""
        ready = process.start(job)
        answers = [process.epoch() for _ in range(self.epochs)]
        first = answers[0]
        course = Course(
            contestant=contestant.name,
            framework=contestant.framework,
            packages=ready.content["packages"],
            params=ready.content["params"],
            steps=math.ceil(TRAIN_EXAMPLES / job.batch_size),
            ready_seconds=ready.seconds,
            first_epoch_seconds=ready.seconds + first.seconds - first.content["eval_seconds"],
            whole_seconds=ready.seconds + sum(answer.seconds for answer in answers),
            epochs=[answer.content for answer in answers],
            peak_memory_bytes=answers[-1].content["peak_memory_bytes"],
        )
        _require_same_job(course, job)
        return course

    def _take_turns(self, courses: Sequence[Course], processes: Mapping[str, Process]) -> None:
        """Trains one epoch of each in an order of its own, round after round.

        Raises:
            WorkerError: one of them ended.
        """
        for number in range(self.rounds):
            for course in random.Random(number).sample(courses, len(courses)):
                answer = processes[course.contestant].epoch()
                course.rounds.append(answer.content)
                course.peak_memory_bytes = answer.content["peak_memory_bytes"]


def job_of(spec: TrialSpec, threads: int) -> Job:
    """A trial for all programs."""
    return Job(spec.to_json(), layers_of(spec.network), spec.training.values(), threads)


def layers_of(network: NetworkSpec) -> dict[str, Any]:
    """A network for programs that do not know this project; see `Job.layers`."""
    return {
        "blocks": [dataclasses.asdict(block) for block in network.blocks],
        "head": network.head,
        "hidden": list(network.hidden_layers),
        "head_dropout": network.head_dropout,
    }


def _require_same_job(course: Course, job: Job) -> None:
    """Refuses a contestant that trains another network, or does not learn."""
    wanted = summarize(TrialSpec.from_json(job.spec).network).params
    if course.params != wanted:
        raise WorkerError(f"{course.contestant}: {course.params} parameters, must be {wanted}")
    accuracy = course.epochs[-1]["test_accuracy"]
    if not accuracy > MIN_ACCURACY:
        raise WorkerError(f"{course.contestant}: test accuracy {accuracy}, it does not learn")
