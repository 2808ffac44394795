"""How many trainings a minute this machine does, by four ways of running many seeds.

    python -m experiments.throughput                                 some 10 minutes on two cores
    python -m experiments.throughput --designs=stride-2 --ways=inline,processes

inline      one seed after another, each on all cores
vectorised  all seeds together on one device, as one program (--seeds_per_device)
processes   one seed after another in a process per core (--executor=processes)
devices     the CPU shown to JAX as one device per core, a seed on each (--devices)

Every measurement is a process of its own with warm caches; the ways take turns. The pace is that
from the end of the first seeds to the end of the last: starting and compiling are not in it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection

from absl import flags

from cnn_ablation.commands import entry
from cnn_ablation.design import TrainingSpec, TrialSpec
from cnn_ablation.display.text import format_table
from cnn_ablation.errors import InputError
from cnn_ablation.execution.datasets import Datasets
from cnn_ablation.execution.executors import Ended, Event, ExecutorOptions, Job, Task, make_executor
from cnn_ablation.system.compilation import keep_compiled_programs
from cnn_ablation.training.compute import ComputeOptions
from experiments.choices import chosen, required
from experiments.peers.designs import DESIGNS

FLAGS = flags.FLAGS
WAYS = ("inline", "vectorised", "processes", "devices")
_MODULE = "cnn_ablation: throughput"
_CORES = os.cpu_count() or 1

flags.DEFINE_list(
    "designs", ["kernel-3-3", "kernel-9-9", "stride-2", "pool-2"], "which", module_name=_MODULE
)
flags.DEFINE_list("ways", list(WAYS), "which ways of running", module_name=_MODULE)
flags.DEFINE_integer("epochs", 2, "epochs of a training", 1, module_name=_MODULE)
flags.DEFINE_integer("waves", 3, "trainings that each place gets", 2, module_name=_MODULE)
flags.DEFINE_integer("rounds", 3, "measurements of each", 1, module_name=_MODULE)
flags.DEFINE_integer("cores", _CORES, "seeds at a time, but for inline", 1, module_name=_MODULE)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What one process measures.

    Attributes:
        design: name of the network.
        way: one of `WAYS`.
        epochs: of a training.
        waves: how many trainings each place gets, one after another.
        cores: how many seeds at a time, but for inline.
    """

    design: str
    way: str
    epochs: int
    waves: int
    cores: int

    @property
    def at_once(self) -> int:
        """How many seeds are trained at a time."""
        return 1 if self.way == "inline" else self.cores


def main() -> int:
    """Measures every design in every way, in turn."""
    ways, designs = required("ways", FLAGS.ways), required("designs", FLAGS.designs)
    for way in ways:
        chosen("ways", way, dict.fromkeys(WAYS))
    for design in designs:
        chosen("designs", design, DESIGNS)
    rows = [("design", *ways)]
    for design in designs:
        paces: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(FLAGS.rounds + 1):
            for way in ways:
                measured = _apart(Measurement(design, way, FLAGS.epochs, FLAGS.waves, FLAGS.cores))
                # The first round fills the caches.
                if number:
                    paces[way].append(measured)
        rows.append((design, *(_cell(paces[way]) for way in ways)))
        print(f"measured {design}", flush=True)
    print(f"\ntrainings of {FLAGS.epochs} epochs a minute, median of {FLAGS.rounds} (range)")
    print(format_table(rows))
    return 0


def _apart(measurement: Measurement) -> float:
    """Measures in a fresh process: JAX's devices are made once and for all.

    It hears no signals, and is ended where this process is told to stop, or is gone.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_answer, args=(measurement, theirs))
    try:
        with _signals_blocked():
            process.start()
        theirs.close()
        answer = ours.recv()
    except EOFError:
        raise InputError(f"{measurement.design}: its process ended without an answer") from None
    finally:
        if process.pid is not None:
            process.kill()
            process.join()
    if isinstance(answer, str):
        raise InputError(answer)
    return float(answer)


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    """What is started inside hears neither SIGINT nor SIGTERM; they reach this process after."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answer(measurement: Measurement, answers: Connection) -> None:
    """Measures and answers, in the fresh process."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answers.send(measure(measurement))
    except InputError as error:
        answers.send(str(error))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def measure(measurement: Measurement) -> float:
    """Trainings a minute, measured in this process, whose devices must not be made yet."""
    import jax

    if measurement.way == "devices":
        jax.config.update("jax_num_cpu_devices", measurement.cores)
    keep_compiled_programs(None)
    at_once, waves = measurement.at_once, measurement.waves
    job = Job(
        ComputeOptions(
            devices=at_once if measurement.way == "devices" else 1,
            seeds_per_device=at_once if measurement.way == "vectorised" else 1,
        )
    )
    spec = TrialSpec(DESIGNS[measurement.design], TrainingSpec(epochs=measurement.epochs))
    seeds = range(at_once * waves)
    datasets = Datasets(job.location)
    datasets.get(spec.data)
    if measurement.way == "processes":
        executor = make_executor(ExecutorOptions("processes", at_once), job, datasets)
        tasks = [Task(spec, tuple(seeds[worker::at_once])) for worker in range(at_once)]
    else:
        executor = make_executor(ExecutorOptions("inline"), job, datasets)
        tasks = [Task(spec, tuple(seeds))]
    ends: list[float] = []

    def on_event(event: Event) -> None:
        if isinstance(event, Ended):
            if event.record.status != "completed":
                raise InputError(f"{measurement.design}: seed {event.seed} {event.record.status}")
            ends.append(time.perf_counter())

    executor.run(tasks, on_event)
    return 60 * (len(ends) - at_once) / (ends[-1] - ends[at_once - 1])


def _cell(paces: Sequence[float]) -> str:
    return f"{statistics.median(paces):.1f} ({min(paces):.1f} to {max(paces):.1f})"


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
