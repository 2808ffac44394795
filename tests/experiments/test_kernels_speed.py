"""The kernels' speed command: its table, and its refusals."""

import subprocess
from pathlib import Path

import forked
import pytest

pytest_plugins = ["convolution_fixtures"]
ROOT = Path(__file__).parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return forked.run("-m", "experiments.kernels", *words)


@pytest.mark.usefixtures("native")
def test_each_pass_of_each_block_has_a_figure() -> None:
    done = run("--rounds=1", "--batch_size=8", "--flags=-O1")
    assert done.returncode == 0, done.stderr
    head, *table = done.stdout.strip().splitlines()
    assert "one thread" in head and "batch 8: peak" in head
    rows = [line for line in table if "(" in line]
    assert len(rows) == 7
    assert all(line.count("%") == 3 for line in rows)


def test_a_compiler_that_is_not_there_or_refuses_is_one_line() -> None:
    for flag, says in (
        ("--cxx=nosuch", "error: --cxx=nosuch: cannot be run (No such file or directory)\n"),
        ("--cxx='", "error: --cxx=' --flags=: No closing quotation\n"),
    ):
        done = run(flag)
        assert (done.returncode, done.stderr) == (2, says)
