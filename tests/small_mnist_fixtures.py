"""Fixtures around MNIST in miniature: `pytest_plugins = ["small_mnist_fixtures"]`."""

from pathlib import Path
from typing import NoReturn

import pytest
import requests
import small_mnist
from tensorflow_datasets.core.download import checksums

from cnn_ablation.data import load_dataset, sources


@pytest.fixture
def small_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Archives in miniature, embedded."""
    monkeypatch.setattr(checksums, "get_all_url_infos", checksums.get_all_url_infos)
    monkeypatch.setattr(sources, "EMBEDDED_ARCHIVES", None)
    folder = small_mnist.write(tmp_path / "archives")
    small_mnist.embed(folder)
    return folder


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request fails at once."""

    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr(requests, "head", refuse)
    monkeypatch.setattr(requests.Session, "get", refuse)


@pytest.fixture
def small_dir(small_archives: Path, tmp_path: Path, no_network: None) -> Path:
    """A data_dir in which the small MNIST is prepared, without its cache."""
    load_dataset(data_dir=str(tmp_path / "data"))
    for path in small_mnist.version_folder(tmp_path / "data").glob("*.npz"):
        path.unlink()
    return tmp_path / "data"
