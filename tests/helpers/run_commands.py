"""Runs commands one after another, each in a fork of one process that has imported all they need.

    python run_commands.py FAKED < commands.json

Commands are lists of words behind `python`. With FAKED `fake` trials are made up instead of
trained and reports are not drawn; all else, from flags to files, is what a user gets. A line of
JSON a command: its exit code, what it printed and the seconds it took.
"""

import hashlib
import json
import os
import runpy
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cnn_ablation.commands.conclusion
import cnn_ablation.commands.single_design
import cnn_ablation.report
from cnn_ablation.execution import preparing
from cnn_ablation.execution.executors import Began, Ended, EpochEnded, Event, Task
from cnn_ablation.inference import intervals
from cnn_ablation.training.records import EpochRecord, TrialRecord


class MakesUp:
    """An executor that trains nothing."""

    workers = 1

    def __init__(self, *_: object) -> None: ...

    def run(self, tasks: Sequence[Task], on_event: Callable[[Event], None]) -> None:
        for spec, seed in ((task.spec, seed) for task in tasks for seed in task.seeds):
            on_event(Began(spec, seed))
            design = json.dumps(spec.to_json(), sort_keys=True)
            luck = int(hashlib.sha256(f"{design} {seed}".encode()).hexdigest()[:4], 16) / 2**16
            epochs = [
                EpochRecord(number, 0.5, 0.5, 0.4 - luck / 10, 0.9 + luck / 20, 1.0, 0.1)
                for number in range(1, spec.training.epochs + 1)
            ]
            for epoch in epochs:
                on_event(EpochEnded(spec, seed, epoch))
            on_event(Ended(TrialRecord(spec, seed, "completed", tuple(epochs))))


def _not_drawn(results: object, folder: Path, *_: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "report.html"


def run(words: Sequence[str]) -> dict[str, Any]:
    """Runs one command in a fork."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            code = 1
            try:
                code = _here(words)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        text = said.read().decode(errors="replace")
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "said": text, "seconds": time.monotonic() - start}


def _here(words: Sequence[str]) -> int:
    try:
        if words[0] == "-m":
            sys.argv = [words[1], *words[2:]]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = list(words)
            runpy.run_path(words[0], run_name="__main__")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "fake":
        intervals.BOOTSTRAP_RESAMPLES = 100
        vars(preparing)["make_executor"] = MakesUp
        vars(cnn_ablation.report)["write_report"] = _not_drawn
    for command in json.load(sys.stdin):
        print(json.dumps(run(command)), flush=True)
