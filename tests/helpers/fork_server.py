"""Runs commands for `forked.py`, each in a fork of this process, which has imported all they need.

A line of JSON on standard input is a command: its words behind `python`, its folder, variables and
standard input, how many seconds it may take, and what of it is spared (`forked.SPARED`). A line of
JSON on standard output answers: its exit code, what it printed, the seconds it took.
"""

import gc
import hashlib
import importlib
import json
import os
import runpy
import signal
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cnn_ablation.commands.conclusion
import cnn_ablation.commands.single_design
import cnn_ablation.report
from cnn_ablation.execution import preparing
from cnn_ablation.execution.executors import Began, Ended, EpochEnded, Event, Task
from cnn_ablation.inference import decision_power, intervals
from cnn_ablation.training.records import EpochRecord, TrialRecord

# Imported where a command first uses them: a second or more each.
LATER = (
    "scipy.optimize",
    "scipy.special",
    "scipy.stats",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "cnn_ablation.commands.comparing",
)


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


def _spare(what: Sequence[str]) -> None:
    """Replaces what is not tested by what takes no time."""
    if "resampling" in what:
        intervals.BOOTSTRAP_RESAMPLES = 100
        vars(decision_power)["_DRAWS"] = 100
    if "training" in what:
        vars(preparing)["make_executor"] = MakesUp
    if "reports" in what:
        vars(cnn_ablation.report)["write_report"] = _not_drawn


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """Runs one command in a fork."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _become(asked, out.fileno(), err.fileno())
        late = threading.Timer(asked["timeout"], os.kill, (child, signal.SIGKILL))
        late.start()
        _, status = os.waitpid(child, 0)
        late.cancel()
        texts = [_read(file) for file in (out, err)]
    seconds = time.monotonic() - start
    if status == signal.SIGKILL and seconds >= asked["timeout"]:
        texts[1] += f"\nkilled after {asked['timeout']} seconds"
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "stdout": texts[0], "stderr": texts[1], "seconds": seconds}


def _read(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode(errors="replace"))


def _become(asked: dict[str, Any], out: int, err: int) -> None:
    """In the fork: is the command, and ends."""
    given = tempfile.TemporaryFile()  # noqa: SIM115
    given.write(asked["given"].encode())
    given.seek(0)
    for descriptor, target in ((given.fileno(), 0), (out, 1), (err, 2)):
        os.dup2(descriptor, target)
    sys.stdin = os.fdopen(0, closefd=False)
    code = 1
    try:
        os.environ.clear()
        os.environ.update(asked["env"])
        os.chdir(asked["cwd"])
        _spare(asked["spare"])
        code = _command(asked["words"])
    except BaseException as error:
        code = _untold(error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _untold(error: BaseException) -> int:
    """What Python does with an error that nobody caught; returns the exit code."""
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 1


def _command(words: Sequence[str]) -> int:
    """What `python WORDS...` does; returns the exit code."""
    kind, rest = (words[0], words[1:]) if words[0] in ("-m", "-c") else ("", words)
    file = Path.cwd() / rest[0]
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:0] = [str(Path.cwd() if kind else file.parent), *filter(None, others)]
    sys.argv = ["-c", *rest[1:]] if kind == "-c" else list(rest)
    sys.orig_argv = [sys.executable, *words]
    try:
        if kind == "-m":
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        else:
            code = compile(rest[0], "<string>", "exec") if kind else file.read_text()
            _as_main(code, None if kind else str(file))
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


def _as_main(code: Any, file: str | None) -> None:
    """Stays `__main__` after it has failed: what tells of the error looks at it."""
    module = types.ModuleType("__main__")
    if file is not None:
        module.__file__ = file
        code = compile(code, file, "exec")
    sys.modules["__main__"] = module
    exec(code, vars(module))


def serve() -> None:
    """Answers until nobody asks any more."""
    for name in LATER:
        importlib.import_module(name)
    gc.freeze()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    serve()
