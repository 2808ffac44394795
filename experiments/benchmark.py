"""Trains the notebook's 15 designs here, in PyTorch and in Keras, side by side on this CPU.

    python -m experiments.benchmark                                about an hour on two cores
    python -m experiments.benchmark --designs=choices              each choice on pool-2
    python -m experiments.benchmark --designs=kernel-3-3,stride-2 --nosweep
    python -m experiments.benchmark --contestants=ours_banded,pytorch,keras   as without a compiler
    python -m experiments.benchmark --peer_python=/path/to/python  peers in their own environment

Same data, batch size, optimiser and threads. Each contestant first trains --epochs epochs in a
process of its own, start-up and evaluation included, with warm caches. Then the fastest variant of
each framework trains --rounds more epochs, in turn with the others, so that a machine whose speed
drifts slows all alike. Last, the sweep: all designs one after the other in one process for each
framework. Contestants whose packages are absent are named and left out: pip install -e .[bench]
brings them. Writes benchmark.json and benchmark.md into --output.
"""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from cnn_ablation.commands import entry
from cnn_ablation.design import TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.system.environment import git_revision
from cnn_ablation.system.files import write_json, write_text
from cnn_ablation.system.hardware import describe_hardware
from experiments.choices import chosen, required
from experiments.peers.contestants import (
    CONTESTANTS,
    OWN,
    WITHOUT_COMPILER,
    Contestant,
    WorkerError,
    missing_packages,
)
from experiments.peers.designs import CHOICES, DESIGNS
from experiments.peers.figures import Design, geometric_mean
from experiments.peers.match import Match
from experiments.peers.peak import measure_peak
from experiments.peers.tables import report

FLAGS = flags.FLAGS
_MODULE = "cnn_ablation: the benchmark"
_BY_NAME = {contestant.name: contestant for contestant in CONTESTANTS}
BUSY = 0.05

flags.DEFINE_list(
    "designs",
    list(DESIGNS),
    "which designs, or `choices` for each choice of a block",
    module_name=_MODULE,
)
flags.DEFINE_list("contestants", list(_BY_NAME), "who trains", module_name=_MODULE)
flags.DEFINE_integer("epochs", 2, "epochs at a stretch", 2, module_name=_MODULE)
flags.DEFINE_integer("rounds", 5, "epochs in turn", 0, module_name=_MODULE)
flags.DEFINE_integer("threads", None, "default: one per processor", 1, module_name=_MODULE)
flags.DEFINE_integer("batch_size", 128, "images per step", 1, module_name=_MODULE)
flags.DEFINE_bool("sweep", True, "also all designs in one process", module_name=_MODULE)
flags.DEFINE_string("peer_python", sys.executable, "interpreter of the peers", module_name=_MODULE)
flags.DEFINE_string("output", "runs/benchmark", "folder for results", module_name=_MODULE)


def main() -> int:
    """Runs the benchmark that the flags describe."""
    designs = _designs(required("designs", FLAGS.designs))
    names = required("contestants", FLAGS.contestants)
    wanted = [chosen("contestants", name, _BY_NAME) for name in names]
    output = _output_folder(Path(FLAGS.output))
    threads = _take_processors(FLAGS.threads)
    contestants, absent = _present(wanted)
    match = Match(
        contestants=contestants,
        peer_python=FLAGS.peer_python,
        threads=threads,
        batch_size=FLAGS.batch_size,
        epochs=FLAGS.epochs,
        rounds=FLAGS.rounds,
        logs=output,
    )
    try:
        _play(match, designs, _header(threads) | {"absent": absent}, output)
    except WorkerError as error:
        print(f"stopped: {error}; its messages are in {output}", file=sys.stderr)
        return 1
    print(f"\n{(output / 'benchmark.md').read_text()}\nwritten  {output}")
    return 0


def _designs(names: Sequence[str]) -> dict[str, TrialSpec]:
    """The designs of these names, in which `choices` stands for every choice."""
    all_names = [one for name in names for one in (CHOICES if name == "choices" else (name,))]
    known = {name: TrialSpec(network) for name, network in DESIGNS.items()} | CHOICES
    return {name: chosen("designs", name, known) for name in all_names}


def _play(match: Match, specs: dict[str, TrialSpec], header: dict[str, Any], output: Path) -> None:
    """Trains design after design, then sweeps; saves after each.

    Raises:
        WorkerError: a contestant ended in the middle.
    """
    designs: list[Design] = []
    for name, spec in specs.items():
        designs.append(match.play(name, spec))
        print(_line(designs[-1]), flush=True)
        _save(output, header, designs, {})
    if FLAGS.sweep:
        _save(output, header, designs, match.sweep(specs, _quickest(designs)))


def _save(
    output: Path, header: dict[str, Any], designs: Sequence[Design], sweep: dict[str, float]
) -> None:
    """Writes what there is so far: a benchmark that is stopped has left it."""
    results = {
        **header,
        "geometric_mean": geometric_mean(design.times_faster for design in designs),
        "sweep_seconds": sweep,
        "designs": [design.to_json() for design in designs],
    }
    write_json(output / "benchmark.json", results)
    write_text(output / "benchmark.md", report(header, designs, sweep))


def _header(threads: int) -> dict[str, Any]:
    """On what machine, when and how."""
    peak = measure_peak(threads)
    return {
        "command": " ".join(["python -m experiments.benchmark", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "git_revision": git_revision(),
        "processor": describe_hardware()["processor"],
        "threads": threads,
        "lanes": peak.lanes if peak else None,
        "peak_gflops": peak.gflops if peak else None,
        "load_before": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "epochs": FLAGS.epochs,
        "rounds": FLAGS.rounds,
        "batch_size": FLAGS.batch_size,
    }


def _take_processors(threads: int | None) -> int:
    """Keeps this process, and so its workers, to as many processors as threads are wanted."""
    if not hasattr(os, "sched_setaffinity"):
        return threads or os.cpu_count() or 1
    processors = sorted(os.sched_getaffinity(0))
    threads = threads or len(processors)
    if threads > len(processors):
        raise InputError(f"--threads={threads}: must be 1 to {len(processors)} on this machine")
    os.sched_setaffinity(0, processors[:threads])
    return threads


def _present(wanted: Sequence[Contestant]) -> tuple[list[Contestant], list[str]]:
    """Those whose packages are there, and one line for each of the others."""
    present, absent = [], []
    for contestant in wanted:
        python = sys.executable if contestant.framework in OWN else FLAGS.peer_python
        missing = missing_packages(contestant, python)
        if missing:
            absent.append(f"{contestant.name} (no {', '.join(missing)})")
        else:
            present.append(contestant)
    for line in absent:
        print(f"absent: {line}", flush=True)
    return present, absent


def _quickest(designs: Sequence[Design]) -> list[str]:
    """Of each framework, the variant that needed least for all designs, each in a cold process.

    Ours without a compiler does not sweep: it is there for its pace.
    """
    totals: dict[str, dict[str, float]] = {}
    for design in designs:
        for course in design.courses:
            if course.framework == WITHOUT_COMPILER:
                continue
            of_framework = totals.setdefault(course.framework, {})
            seconds = of_framework.get(course.contestant, 0.0) + course.whole_seconds
            of_framework[course.contestant] = seconds
    return [min(variants, key=variants.__getitem__) for variants in totals.values()]


def _line(design: Design) -> str:
    paces = [
        f"{course.contestant} {course.train_seconds:.2f} s"
        for framework in design.frameworks
        if (course := design.fastest(framework))
    ]
    faster = design.times_faster
    busy = design.others_share
    return (
        f"{design.name:12} {', '.join(paces)}"
        + (f": {faster:.2f} times" if faster else "")
        + (f"; others used {busy:.0%} of the processors: not valid" if busy and busy > BUSY else "")
    )


def _output_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--output={folder}: cannot be made ({error.strerror})") from None
    return folder


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
