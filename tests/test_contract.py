"""The import contract of setup.cfg: imports point down from room to room."""

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
