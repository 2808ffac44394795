"""The command that shows how cost grows: its table, and its refusals."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "experiments.growth", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.mark.processes
def test_each_size_has_a_row() -> None:
    done = run("--design=stride-5", "--sides=28", "--channels=3", "--batch_sizes=64,128")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| 28x28x3 |")]
    assert [row.split("|")[2].strip() for row in rows] == ["64", "128"]


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("--sides=0", "error: --sides=0: must be whole numbers of 1 or more\n"),
        ("--channels=x", "error: --channels=x: must be whole numbers of 1 or more\n"),
        (
            "--batch_sizes=",
            "error: --batch_sizes=: must be one name or more, separated by commas\n",
        ),
    ],
)
def test_what_is_no_size_is_refused_in_one_line(flag: str, says: str) -> None:
    done = run(flag)
    assert (done.returncode, done.stderr) == (2, says)
