"""Preparing, on tiny_archives in miniature: from where they come, and what is refused."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pytest
import requests
import tensorflow_datasets as tfds
import tiny_mnist
from tiny_mnist import assert_loaded, version_folder

from cnn_ablation.data import load_dataset
from cnn_ablation.errors import InputError

pytest_plugins = ["tiny_mnist_fixtures"]

IMAGES = tiny_mnist.NAMES.train_images
Server = tuple[dict[str, bytes], list[str]]


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_prepared_from_the_embedded_archives_without_a_network(
    tiny_archives: Path, tmp_path: Path, no_network: None
) -> None:
    data_dir = tmp_path / "new" / "data"
    dataset = load_dataset(data_dir=str(data_dir))
    assert_loaded(dataset)
    assert _files(version_folder(data_dir)) == [
        "cnn_ablation-test.npz",
        "cnn_ablation-train.npz",
        "dataset_info.json",
        "features.json",
        "mnist-test.array_record-00000-of-00001",
        "mnist-train.array_record-00000-of-00001",
    ]
    assert len(tfds.data_source("mnist", data_dir=str(data_dir), split="train")) == 60


def test_tfds_default_folder_is_ours(
    tiny_archives: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "from_tfds"))
    assert_loaded(load_dataset())
    assert version_folder(tmp_path / "from_tfds").is_dir()


@pytest.mark.parametrize("name", ["fashion_mnist", "kmnist"])
def test_archives_of_the_user(
    tiny_archives: Path, tmp_path: Path, no_network: None, name: str
) -> None:
    folder = tiny_mnist.write(tmp_path / "mine", seed=3)
    tiny_mnist.register({name: folder})
    dataset = load_dataset(name, data_dir=str(tmp_path / "data"), manual_dir=str(folder))
    assert_loaded(dataset, seed=3)
    assert dataset.name == name


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_truncate, _flip])
@pytest.mark.parametrize("already_prepared", [False, True])
def test_damaged_archive_of_the_user(
    tiny_archives: Path, tmp_path: Path, damage: Callable[[Path], None], already_prepared: bool
) -> None:
    data_dir, folder = tmp_path / "data", tmp_path / "mine"
    if already_prepared:
        load_dataset(data_dir=str(data_dir))
    shutil.copytree(tiny_archives, folder)
    damage(folder / IMAGES)
    before = _files(data_dir)
    with pytest.raises(InputError, match=rf"mine/{IMAGES}: is damaged, or another file"):
        load_dataset(data_dir=str(data_dir), manual_dir=str(folder))
    assert _files(data_dir) == before


def test_damaged_embedded_archive(tiny_archives: Path, tmp_path: Path) -> None:
    _truncate(tiny_archives / IMAGES)
    with pytest.raises(InputError, match=rf"archives/{IMAGES}: is damaged"):
        load_dataset(data_dir=str(tmp_path / "data"))
    assert not version_folder(tmp_path / "data").exists()


def test_archives_of_another_dataset_are_told_by_their_checksum(
    tiny_archives: Path, tmp_path: Path
) -> None:
    other = tiny_mnist.write(tmp_path / "fashion", seed=5)
    tiny_mnist.register({"mnist": tiny_archives, "fashion_mnist": other})
    with pytest.raises(InputError, match=rf"{IMAGES}: is mnist's archive.*fashion_mnist's is"):
        load_dataset("fashion_mnist", data_dir=str(tmp_path / "d"), manual_dir=str(tiny_archives))


def test_archives_that_do_not_fit_together(tiny_archives: Path, tmp_path: Path) -> None:
    tiny_mnist.write_idx(tiny_archives / IMAGES, np.zeros((59, 28, 28), np.uint8))
    tiny_mnist.embed(tiny_archives)
    with pytest.raises(InputError, match="train archives hold 59 images and 60 labels"):
        load_dataset(data_dir=str(tmp_path / "data"))
    assert not list((tmp_path / "data" / "mnist").glob("*3.0.1*"))


def test_manual_dir_refused(tiny_archives: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for given, says in (("nowhere", "must be a folder that exists"), ("empty", "holds none of")):
        with pytest.raises(InputError, match=rf"^--manual_dir=.*{given}: {says}"):
            load_dataset(data_dir=str(tmp_path), manual_dir=str(tmp_path / given))


class _Response:
    """What TFDS's downloader needs of a response."""

    status_code = 200
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, url: str, content: bytes) -> None:
        self.url, self._content = url, content

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def iter_content(self, chunk_size: int) -> Iterator[bytes]:
        yield self._content


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    """A network that serves the files of `served` by name, and notes what was asked for."""
    served: dict[str, bytes] = {}
    asked: list[str] = []

    def get(_session: requests.Session, url: str, **_kwargs: object) -> _Response:
        name = url.rsplit("/", 1)[1]
        asked.append(name)
        if name not in served:
            raise requests.ConnectionError("connection reset")
        return _Response(url, served[name])

    monkeypatch.setattr(requests, "head", lambda *_args, **_kwargs: None)
    monkeypatch.setattr(requests.Session, "get", get)
    return served, asked


def test_what_is_not_there_is_downloaded(
    tiny_archives: Path, tmp_path: Path, server: Server
) -> None:
    served, asked = server
    folder = tiny_mnist.write(tmp_path / "mine", seed=3)
    tiny_mnist.register({"kmnist": folder})
    served[IMAGES] = (folder / IMAGES).read_bytes()
    (folder / IMAGES).unlink()
    dataset = load_dataset("kmnist", data_dir=str(tmp_path / "data"), manual_dir=str(folder))
    assert_loaded(dataset, seed=3)
    assert asked == [IMAGES]


def test_download_that_breaks_off_or_is_something_else(
    tiny_archives: Path, tmp_path: Path, server: Server
) -> None:
    served, _ = server
    folder = tiny_mnist.write(tmp_path / "mine", seed=3)
    tiny_mnist.register({"kmnist": folder})
    data_dir = tmp_path / "data"
    for name in tiny_mnist.NAMES.names()[1:]:
        served[name] = (folder / name).read_bytes()
    for content, says in ((None, "connection reset"), (b"<html>log in</html>", "Checksum")):
        if content is not None:
            served[IMAGES] = content
        with pytest.raises(InputError, match=rf"^--dataset=kmnist: .*{says}.*--manual_dir"):
            load_dataset("kmnist", data_dir=str(data_dir))
        assert (
            not list(data_dir.rglob("*.tmp.*")) and not version_folder(data_dir, "kmnist").exists()
        )
    # What did come is kept: with a network again, only the rest is downloaded.
    served[IMAGES] = (folder / IMAGES).read_bytes()
    assert_loaded(load_dataset("kmnist", data_dir=str(data_dir)), seed=3)


def test_what_tfds_has_downloaded_needs_no_network(
    tiny_archives: Path, tmp_path: Path, server: Server, request: pytest.FixtureRequest
) -> None:
    folder = tiny_mnist.write(tmp_path / "mine", seed=3)
    tiny_mnist.register({"kmnist": folder})
    server[0].update({name: (folder / name).read_bytes() for name in tiny_mnist.NAMES.names()})
    load_dataset("kmnist", data_dir=str(tmp_path))
    shutil.rmtree(tmp_path / "kmnist")
    request.getfixturevalue("no_network")
    assert_loaded(load_dataset("kmnist", data_dir=str(tmp_path)), seed=3)


def test_no_network_is_one_clear_line(tmp_path: Path, no_network: None) -> None:
    with pytest.raises(InputError) as caught:
        load_dataset("fashion_mnist", data_dir=str(tmp_path))
    message = str(caught.value)
    assert message.startswith("--dataset=fashion_mnist: could not download train-images-idx3")
    assert "--manual_dir" in message and "no route to host" in message and "\n" not in message


def test_data_dir_that_cannot_be_made(tiny_archives: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for given in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match=rf"^--data_dir={given}: cannot be written \(.*\)"):
            load_dataset(data_dir=str(given))


def test_data_dir_in_a_cloud() -> None:
    with pytest.raises(InputError, match=r"^--data_dir=gs://bucket: must be a folder of this"):
        load_dataset(data_dir="gs://bucket")
