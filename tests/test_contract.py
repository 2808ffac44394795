"""The import contract of setup.cfg: imports point down from room to room."""

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]


def test_imports_keep_the_contract(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    broken = lint_imports("setup.cfg", no_cache=True, no_logo=True)
    assert not broken, capsys.readouterr().out


@pytest.mark.parametrize(
    "module", ["design", "study", "report", "claims", "inference", "commands.study", "main", "data"]
)
def test_declaring_judging_and_reporting_do_not_wait_for_jax(module: str) -> None:
    code = (
        f"import sys, cnn_ablation.{module}; "
        "print([name for name in ('jax', 'flax', 'optax') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
