"""Archives of another compressor, as Debian's are: known by what they hold."""

import dataclasses
import gzip
import hashlib
from pathlib import Path

import pytest
import tiny_mnist

from cnn_ablation.data import load_dataset
from cnn_ablation.data.originals import compressed_anew
from cnn_ablation.data.sources import SOURCES, Archives
from cnn_ablation.errors import InputError

pytest_plugins = ["tiny_mnist_fixtures"]
NAMES = Archives().names()


@pytest.fixture
def debian(tiny_archives: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the same contents in other gzip files, one of them the original."""
    folder, contents = tmp_path / "debian", []
    folder.mkdir()
    for name in NAMES:
        content = gzip.decompress((tiny_archives / name).read_bytes())
        contents.append(hashlib.sha256(content).hexdigest())
        (folder / name).write_bytes(gzip.compress(content, 1, mtime=7))
    (folder / NAMES[0]).write_bytes((tiny_archives / NAMES[0]).read_bytes())
    source = dataclasses.replace(SOURCES["mnist"], contents=tuple(contents))
    monkeypatch.setitem(SOURCES, "mnist", source)
    return folder


def test_they_serve_as_they_are(debian: Path, tmp_path: Path, no_network: None) -> None:
    assert set(compressed_anew(SOURCES["mnist"], debian)) == set(NAMES[1:])
    dataset = load_dataset(data_dir=str(tmp_path / "data"), manual_dir=str(debian))
    tiny_mnist.assert_loaded(dataset)


@pytest.mark.parametrize("number", [1, 2])
def test_other_contents_are_refused(debian: Path, tmp_path: Path, number: int) -> None:
    path = debian / NAMES[number]
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-1] ^= 1
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(InputError, match=rf"{NAMES[number]}: is damaged, or another file"):
        load_dataset(data_dir=str(tmp_path / "data"), manual_dir=str(debian))


def test_a_torn_one_is_refused(debian: Path, tmp_path: Path) -> None:
    path = debian / NAMES[2]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="is damaged, or another file"):
        load_dataset(data_dir=str(tmp_path / "data"), manual_dir=str(debian))


def test_what_mnist_holds_is_what_the_package_holds() -> None:
    folder = Path(__file__).parents[2] / "cnn_ablation" / "data" / "archives"
    found = [
        hashlib.sha256(gzip.decompress((folder / name).read_bytes())).hexdigest() for name in NAMES
    ]
    assert tuple(found) == SOURCES["mnist"].contents
