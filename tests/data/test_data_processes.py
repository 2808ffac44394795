"""Processes that are killed while they prepare, and processes that start at once."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tensorflow_datasets as tfds
from tiny_mnist import assert_loaded, version_folder

from cnn_ablation.data import load_dataset
from cnn_ablation.system.locks import Lock, folder_lock

pytest_plugins = ["tiny_mnist_fixtures"]
pytestmark = pytest.mark.processes

_LOAD = """
import os, signal, sys
from pathlib import Path
from cnn_ablation.data import load_dataset

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def die_in_the_middle(file, **arrays):
    file.write(b"half")
    file.flush()
    die()

if sys.argv[1]:
    import tiny_mnist
    import numpy as np
    import tensorflow_datasets as tfds
    from cnn_ablation.data import builders, loading

    tiny_mnist.embed(Path(sys.argv[1]))
{death}
dataset = load_dataset(data_dir=sys.argv[2], progress=True)
tfds = sys.modules.get("tensorflow_datasets")
builder = tfds and tfds.builder_cls("mnist").__module__
print(dataset.fingerprint, "tensorflow" in sys.modules, builder)
"""
_DEATHS = {
    "while images are encoded": "builders.png.encode = die",
    "before the folder has its name": "tfds.core.DatasetInfo.write_to_directory = die",
    "before arrays are kept": "loading.save_cache = die",
    "while arrays are written": "np.savez = die_in_the_middle",
}


def _start(
    archives: Path | None, data_dir: Path, *, death: str = "", first_on_path: str = ""
) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    path = os.pathsep.join((first_on_path, str(root / "tests" / "helpers"), str(root)))
    script = _LOAD.format(death=death)
    return subprocess.Popen(
        [sys.executable, "-c", script, str(archives or ""), str(data_dir)],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_no_tensorflow_is_imported(tiny_archives: Path, tmp_path: Path) -> None:
    """Where one is installed, but imports with an error; and a later start does without TFDS."""
    stub = tmp_path / "installed" / "tensorflow"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("raise SystemExit('imported')")
    first = _start(tiny_archives, tmp_path / "data", first_on_path=str(stub.parent))
    printed, notices = first.communicate()
    assert first.returncode == 0, notices
    fingerprint, tensorflow, builder = printed.split()
    assert tensorflow == "False"
    assert builder == "tensorflow_datasets.image_classification.mnist"
    assert notices.strip() == f"preparing mnist 3.0.1 in {tmp_path / 'data'}"

    later = _start(None, tmp_path / "data", first_on_path=str(stub.parent))
    printed, notices = later.communicate()
    assert printed.split() == [fingerprint, "False", "None"]
    assert notices == ""


@pytest.mark.parametrize("death", _DEATHS)
def test_killed_and_started_again(tiny_archives: Path, tmp_path: Path, death: str) -> None:
    data_dir = tmp_path / "data"
    process = _start(tiny_archives, data_dir, death=_DEATHS[death])
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert_loaded(load_dataset(data_dir=str(data_dir)))
    assert_loaded(load_dataset(data_dir=str(data_dir)))
    assert sorted(path.name for path in version_folder(data_dir).glob("*.npz*")) == [
        "cnn_ablation-test.npz",
        "cnn_ablation-train.npz",
    ]
    assert not list(version_folder(data_dir).glob(".*"))


def test_folders_of_killed_ones_go_and_those_of_tfds_stay(
    tiny_archives: Path, tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    _start(tiny_archives, data_dir, death=_DEATHS["while images are encoded"]).communicate()
    (killed,) = (data_dir / "mnist").glob("incomplete.*")
    others = killed.with_name("incomplete.ABC123_3.0.1")
    others.mkdir()
    assert_loaded(load_dataset(data_dir=str(data_dir)))
    assert list((data_dir / "mnist").glob("incomplete.*")) == [others]


def test_three_start_at_once(tiny_archives: Path, tmp_path: Path) -> None:
    processes = [_start(tiny_archives, tmp_path / "data") for _ in range(3)]
    printed = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(printed) == 1


def test_another_process_is_faster_in_spite_of_the_lock(
    tiny_archives: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system without locks, or TFDS itself: the folder is there when ours is done."""
    others = tmp_path / "others"
    load_dataset(data_dir=str(others))
    write = tfds.core.DatasetInfo.write_to_directory

    def write_and_lose(info: Any, *args: Any, **kwargs: Any) -> None:
        write(info, *args, **kwargs)
        shutil.copytree(version_folder(others), version_folder(tmp_path / "data"))

    monkeypatch.setattr(tfds.core.DatasetInfo, "write_to_directory", write_and_lose)
    assert_loaded(load_dataset(data_dir=str(tmp_path / "data")))
    assert not list((tmp_path / "data" / "mnist").glob("incomplete.*"))


def test_lock_is_waited_for_and_does_without_a_folder(
    tiny_archives: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mnist").mkdir()
    with folder_lock(tmp_path / "mnist") as lock:
        assert lock == Lock(held=True, waited=False)
        process = _start(tiny_archives, tmp_path)
        assert process.stderr is not None
        assert "waiting for another process" in process.stderr.readline()
        assert not version_folder(tmp_path).exists()
    process.communicate()
    assert process.returncode == 0 and version_folder(tmp_path).exists()
    with folder_lock(tmp_path / "nowhere") as lock:
        assert lock == Lock(held=False, waited=False)
    assert capsys.readouterr().err == ""
