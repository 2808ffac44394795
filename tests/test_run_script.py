"""run.sh: what each of its commands runs, in which order, and that the first failure ends it.

The tools are scripts that write down how they were called, in an environment said to be complete.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ("run.sh", "setup.cfg", "pyproject.toml")
CHECKS = [
    "ruff check .",
    "ruff format --check .",
    "mypy cnn_ablation experiments tests",
    "lint-imports --no-cache --no-logo",
]
TOOL = """#!/bin/sh
echo "$(basename "$0") $*" >> calls
echo $$ > pid
[ "$(basename "$0") $1" != "$FAILING" ]
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose tools only write down their calls, and in `pid` which process they are."""
    for name in FILES:
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in ("python", "ruff", "mypy", "lint-imports"):
        (tools / name).write_text(TOOL)
        (tools / name).chmod(0o755)
    wanted = subprocess.run(["cksum", *FILES[1:]], cwd=tmp_path, capture_output=True, check=True)
    for extra in ("run", "test"):
        (tmp_path / ".venv" / f"installed-{extra}").write_bytes(wanted.stdout)
    return tmp_path


def run(checkout: Path, *arguments: str, failing: str = "") -> tuple[int, list[str], bool]:
    """The exit code, how the tools were called, and whether the last took the script's place."""
    environment = {**os.environ, "PYTHON": sys.executable, "FAILING": failing}
    command = ["bash", str(checkout / "run.sh"), *arguments]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        process.communicate()
    calls = checkout / "calls"
    if not calls.exists():
        return process.returncode, [], False
    replaced = int((checkout / "pid").read_text()) == process.pid
    return process.returncode, calls.read_text().splitlines(), replaced


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [
        ((), ["python -m cnn_ablation.main --stride=2"]),
        (("--pool=2", "--epochs=5"), ["python -m cnn_ablation.main --pool=2 --epochs=5"]),
        (("study", "--num_seeds=3"), ["python -m experiments.notebook --num_seeds=3"]),
        (("test",), [*CHECKS, "python -m pytest -n 2"]),
        (("test", "tests/design", "-k", "a or b"), ["python -m pytest tests/design -k a or b"]),
        (("test", "--matrix", "-x"), ["python tests/matrix.py -x"]),
    ],
)
def test_each_command_ends_as_the_program_it_is_for(
    checkout: Path, arguments: tuple[str, ...], calls: list[str]
) -> None:
    assert run(checkout, *arguments) == (0, calls, True)


def test_check_checks_and_tests_nothing(checkout: Path) -> None:
    assert run(checkout, "check")[:2] == (0, CHECKS)


def test_check_takes_nothing_else(checkout: Path) -> None:
    assert run(checkout, "check", "tests/design")[:2] == (2, [])


@pytest.mark.parametrize("count", range(1, len(CHECKS) + 1))
@pytest.mark.parametrize("command", ["test", "check"])
def test_the_first_failure_is_the_last_call(checkout: Path, command: str, count: int) -> None:
    failing = " ".join(CHECKS[count - 1].split()[:2])
    assert run(checkout, command, failing=failing)[:2] == (1, CHECKS[:count])


def test_tests_that_fail_are_the_exit_code(checkout: Path) -> None:
    assert run(checkout, "test", "tests/design", failing="python -m")[0] == 1


def test_hooks_before_a_commit_are_the_same_checks() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"entry: \.venv/bin/(.*)", hooks) == CHECKS
    assert set(re.findall(r"language: (.*)", hooks)) == {"system"}
    assert re.findall(r"repo: (.*)", hooks) == ["local"]
