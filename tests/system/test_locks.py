"""A folder has one process at a time; one that was killed, or no locks at all, stops nobody."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from cnn_ablation.errors import InputError
from cnn_ablation.system.locks import Lock, folder_lock, sole_writer

HOLD = """
import sys
from pathlib import Path
from cnn_ablation.system.locks import folder_lock, sole_writer
with folder_lock(Path(sys.argv[1])), sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> NoReturn:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", refuse)


def test_a_killed_holder_is_named_and_its_lock_gone(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        for _ in range(2):
            with (
                pytest.raises(InputError, match=f"process {holder.pid} is at work in it"),
                sole_writer(tmp_path),
            ):
                pass
        holder.kill()
    with folder_lock(tmp_path) as lock, sole_writer(tmp_path):
        assert lock == Lock(held=True, waited=False)
        with (
            pytest.raises(InputError, match=f"process {os.getpid()} is at work in it"),
            sole_writer(tmp_path),
        ):
            pass


def test_without_locks_work_goes_on(
    no_locks: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        with folder_lock(tmp_path, notice="waiting") as lock:
            assert lock == Lock(held=False, waited=False)
    assert capsys.readouterr().err == ""
    with sole_writer(tmp_path), sole_writer(tmp_path):
        pass
    warning = f"warning: {tmp_path}: no lock to be had ({os.strerror(errno.ENOSYS)})\n"
    assert capsys.readouterr().err == 2 * warning


def test_a_writer_needs_a_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError), sole_writer(tmp_path / "nowhere"):
        pass
    assert not (tmp_path / "nowhere").exists()
