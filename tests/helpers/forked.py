"""Commands as a user types them, without the seconds in which Python imports JAX and its like.

A command is run in a fork of a process that has imported them (`fork_server.py`). What is tested
about the start or the end of a process itself, or about signals, needs a process of its own.
"""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# What takes long may be made up (trials), left out (reports) or done a few times (random draws).
SPARED = ("training", "reports", "resampling")
ROOT = Path(__file__).parents[2]
# Most of the time is XLA's compiling, which need not make these programs fast.
QUICKLY_COMPILED = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}


def run(
    *words: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 600,
    spare: Sequence[str] = (),
    given: str | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Runs `python WORDS...`.

    Args:
        words: a file or `-m` and a module, or `-c` and code; then what they are given.
        cwd: the folder to be in; None is this process's.
        env: variables to change.
        timeout: seconds until it is killed.
        given: its standard input; None is nothing.
        spare: what is not tested, of `SPARED`.
    """
    asked = {
        "words": words,
        "cwd": str(cwd or Path.cwd()),
        "env": {**os.environ, **(env or {})},
        "timeout": timeout,
        "spare": list(spare),
        "given": given or "",
    }
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    print(json.dumps(asked), file=server.stdin, flush=True)
    found = json.loads(server.stdout.readline())
    return subprocess.CompletedProcess(words, found["code"], found["stdout"], found["stderr"])


@functools.cache
def _server() -> "subprocess.Popen[str]":
    """One for all tests of this process; it ends when this process's end of the pipe is closed."""
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "helpers")))
    return subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "helpers" / "fork_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
