"""The line that says what goes on before there is anything to count."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnn_ablation.display import status
from cnn_ablation.display.notices import notify


class Terminal(io.StringIO):
    """Standard error, as a terminal."""

    def isatty(self) -> bool:
        return True


def test_it_is_there_at_once_and_gone_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with status.doing("starting JAX"):
        assert terminal.getvalue().endswith("starting JAX ...")
        notify("building kernels takes a minute, once")
    shown = terminal.getvalue().split("\r\x1b[2K")
    assert "building kernels takes a minute, once\n" in shown
    assert shown[-1] == ""


def test_a_failure_takes_it_away_too(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with pytest.raises(OSError, match="full"), status.doing("loading"):
        raise OSError("full")
    assert terminal.getvalue().endswith("\r\x1b[2K")
    status.clear()


def test_a_file_sees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with status.doing("loading"):
        pass
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(os.name != "posix", reason="terminals are POSIX's")
@pytest.mark.parametrize("words", [("cnn_ablation.main",), ("cnn_ablation", "study", "stride")])
def test_commands_show_it_before_they_load_anything_large(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('asked for NumPy')")
    ours, theirs = os.openpty()
    path = os.pathsep.join((str(tmp_path), str(Path(__file__).parents[2])))
    done = subprocess.run(
        [sys.executable, "-m", *words],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    os.close(theirs)
    shown = os.read(ours, 1000).decode()
    os.close(ours)
    assert done.returncode == 1
    assert shown.startswith("\r\x1b[2Kloading ...")
