"""A dataset's files after any damage: refused in one line or decoded again, never believed.

`pytest -m search tests/data/test_damaged_data.py` damages 3,000 files.
"""

import json
import shutil
import sys
from pathlib import Path

import damage
import numpy as np
import pytest
import tally
import tiny_mnist
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnn_ablation.data import load_dataset
from cnn_ablation.errors import InputError

pytest_plugins = ["tiny_mnist_fixtures"]

QUICK = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LONG = settings(QUICK, max_examples=1500)
METADATA = ("features.json", "dataset_info.json")


def load(data_dir: Path, name: str, kind: str) -> None:
    """Loads what is there; whatever is loaded is as it was prepared."""
    before = set(sys.modules)
    try:
        dataset = load_dataset(data_dir=str(data_dir))
    except InputError as error:
        assert str(error).isprintable() and str(error)
        tally.note(name, kind, "refused in one line")
        return
    finally:
        new = {module.split(".")[0] for module in set(sys.modules) - before}
        assert "evil" not in new
    for split, part in (("train", dataset.train), ("test", dataset.test)):
        images, labels = tiny_mnist.arrays()[split]
        np.testing.assert_array_equal(part.images_NHWC, images)
        np.testing.assert_array_equal(part.labels_N, labels)
    tally.note(name, kind, "read as it was prepared")


def damage_bytes(data: st.DataObject, tiny_dir: Path, tmp_path: Path) -> None:
    folder = fresh(tiny_dir, tmp_path)
    files = sorted(path for path in folder.iterdir() if path.suffix != ".lock")
    path = data.draw(st.sampled_from(files))
    kind, content = data.draw(damage.damaged_bytes(path.read_bytes()))
    path.write_bytes(content)
    if path.suffix != ".npz":
        for cache in folder.glob("*.npz"):
            cache.unlink()
    load(tmp_path / "copy", short(path), kind)


def twist(data: st.DataObject, tiny_dir: Path, tmp_path: Path) -> None:
    folder = fresh(tiny_dir, tmp_path)
    path = folder / data.draw(st.sampled_from(METADATA))
    kind, document = data.draw(damage.twisted(json.loads(path.read_text())))
    path.write_bytes(damage.as_line(document))
    for cache in folder.glob("*.npz"):
        cache.unlink()
    load(tmp_path / "copy", short(path), kind)


def fresh(tiny_dir: Path, tmp_path: Path) -> Path:
    shutil.rmtree(tmp_path / "copy", ignore_errors=True)
    shutil.copytree(tiny_dir, tmp_path / "copy")
    return tiny_mnist.version_folder(tmp_path / "copy")


def short(path: Path) -> str:
    return "record file" if "array_record" in path.name else path.name


@pytest.fixture
def prepared(tiny_dir: Path) -> Path:
    load_dataset(data_dir=str(tiny_dir))
    return tiny_dir


@QUICK
@given(data=st.data())
def test_damaged_bytes(data: st.DataObject, prepared: Path, tmp_path: Path) -> None:
    damage_bytes(data, prepared, tmp_path)


@QUICK
@given(data=st.data())
def test_wrong_values(data: st.DataObject, prepared: Path, tmp_path: Path) -> None:
    twist(data, prepared, tmp_path)


@pytest.mark.search
@LONG
@given(data=st.data())
def test_thousands_of_damaged_files(data: st.DataObject, prepared: Path, tmp_path: Path) -> None:
    damage_bytes(data, prepared, tmp_path)


@pytest.mark.search
@LONG
@given(data=st.data())
def test_thousands_of_wrong_values(data: st.DataObject, prepared: Path, tmp_path: Path) -> None:
    twist(data, prepared, tmp_path)
