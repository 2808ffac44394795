"""A full disk, for root a real one: one line, exit code 2, and the same command goes on."""

import json
import os
import subprocess
import sys
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnn_ablation.data import Dataset, preparing
from cnn_ablation.data.sources import SOURCES
from cnn_ablation.errors import InputError
from cnn_ablation.system import kept_programs


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 KB; `grow` gives it room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24k,mode=700", "tmpfs", str(folder)]
    try:
        if os.name != "posix" or subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("only root can make a small disk")
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def grow(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=200M", str(disk)], check=True)


def run(workdir: Path, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [
        *(sys.executable, "-m", "cnn_ablation.main", f"--workdir={workdir}", "--num_seeds=2"),
        *("--features=2", "--stride=5", "--hidden=3", "--conv=xla", "--epochs=40"),
        *("--train_split=train[:100]", "--test_split=test[:50]", *flags),
    ]
    environment = {**os.environ, **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.processes
def test_a_workdir_that_fills_up(mnist: Dataset, disk: Path) -> None:
    done = run(disk / "run", "--tensorboard")
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith(f"error: {disk / 'run'}/")
    assert line.endswith("No space left on device); make room, and the same command goes on")
    for file in (disk / "run").glob("*.jsonl"):
        assert all(json.loads(one) for one in file.read_text().splitlines())
        assert file.read_text()[-1:] in ("", "\n")
    grow(disk)
    done = run(disk / "run", "--tensorboard")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads((disk / "run" / "metrics.json").read_text())["runs"]) == 2


@pytest.mark.processes
def test_a_data_dir_that_fills_up(disk: Path, tmp_path: Path) -> None:
    done = run(tmp_path / "run", TFDS_DATA_DIR=str(disk / "data"))
    said, line = done.stderr.splitlines()
    assert done.returncode == 2 and said.startswith("preparing mnist")
    assert line == (
        f"error: {disk / 'data'}: cannot be written (No space left on device); make room, and the "
        "same command goes on"
    )
    assert [path.name for path in disk.rglob("*") if path.is_file()] == [".cnn_ablation.lock"]


def test_what_tfds_raises_while_it_prepares_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for message, says in (
        ("write() failed:\nNo space left on device; at byte 4096", "; make room, and the same"),
        ("something\nelse", r"--data_dir=.*: mnist cannot be prepared there \(something else\)$"),
    ):

        def fail(*_: object, said: str = message, **__: object) -> None:
            raise RuntimeError(said)

        monkeypatch.setattr(preparing, "_download_and_prepare", fail)
        with pytest.raises(InputError, match=says) as why:
            preparing.prepare(SOURCES["mnist"], tmp_path, None, progress=False)
        assert str(why.value).isprintable()


def test_programs_that_jax_cannot_keep_or_read_are_a_line_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr(kept_programs, "_told", set())
    whole = zlib.compress(b"program" * 100)
    for name, content in (("a", whole), ("b", whole[:-1]), ("c", b"")):
        (tmp_path / f"jit_f-{name}-cache").write_bytes(content)
    (tmp_path / "jit_g-d-cache").write_bytes(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        kept_programs.tell_in_one_line(tmp_path)
        for what, why in (("reading", "error: Error -5"), ("writing", "OSError: [Errno 28] full")):
            for _ in range(2):
                said = f"Error {what} persistent compilation cache entry for 'jit_f': {why}"
                warnings.warn(said, stacklevel=1)
    assert capsys.readouterr().err == (
        f"{tmp_path}: a damaged program was removed, and is compiled again\n"
        f"{tmp_path}: programs cannot be kept ([Errno 28] full); they are compiled each time\n"
    )
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["jit_f-a-cache", "jit_g-d-cache"]
