"""Fixtures around MNIST in miniature: `pytest_plugins = ["tiny_mnist_fixtures"]`."""

from pathlib import Path
from typing import NoReturn

import pytest
import requests
import tiny_mnist
from tensorflow_datasets.core.download import checksums

from cnn_ablation.data import load_dataset, sources


@pytest.fixture
def tiny_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Archives in miniature, embedded."""
    monkeypatch.setattr(checksums, "get_all_url_infos", checksums.get_all_url_infos)
    monkeypatch.setattr(sources, "EMBEDDED_ARCHIVES", None)
    folder = tiny_mnist.write(tmp_path / "archives")
    tiny_mnist.embed(folder)
    return folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request fails at once."""

    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr(requests, "head", refuse)
    monkeypatch.setattr(requests.Session, "get", refuse)


@pytest.fixture
def tiny_dir(tiny_archives: Path, tmp_path: Path, no_network: None) -> Path:
    """A data_dir in which the small MNIST is prepared, without its cache."""
    load_dataset(data_dir=str(tmp_path / "data"))
    for path in tiny_mnist.version_folder(tmp_path / "data").glob("*.npz"):
        path.unlink()
    return tmp_path / "data"
