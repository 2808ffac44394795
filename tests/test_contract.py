"""The import contract of setup.cfg: imports point down from room to room."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# In a process of its own: it sets up logging, which closes the handlers that pytest has.
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def test_imports_keep_the_contract() -> None:
    command = [sys.executable, "-c", LINT, "--no-cache", "--no-logo"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "module",
    [
        *("design", "study", "studies", "report", "claims", "inference", "main", "data"),
        *("commands.study", "commands.studies", "commands.compare", "commands.export"),
        *("commands.doctor", "commands.judge", "commands.report", "__main__"),
    ],
)
def test_declaring_judging_and_reporting_do_not_wait_for_jax(module: str) -> None:
    code = (
        f"import sys, cnn_ablation.{module}; "
        "print([name for name in ('jax', 'flax', 'optax') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
