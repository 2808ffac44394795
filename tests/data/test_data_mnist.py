"""The real MNIST, prepared from the embedded archives."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from cnn_ablation.data import Dataset, describe_dataset, load_dataset
from cnn_ablation.data.sources import EMBEDDED_ARCHIVES, SOURCES


@pytest.fixture
def mnist_dir(mnist: Dataset, private_folders: Path) -> str:
    """The data_dir in which `mnist` is prepared."""
    return str(private_folders / "datasets")


def _archive(name: str, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress((EMBEDDED_ARCHIVES / name).read_bytes()), np.uint8)[
        header:
    ]


def test_arrays_are_the_archives_own(mnist: Dataset) -> None:
    train_pixels = _archive("train-images-idx3-ubyte.gz", 16).reshape(60000, 28, 28, 1)
    test_pixels = _archive("t10k-images-idx3-ubyte.gz", 16).reshape(10000, 28, 28, 1)
    np.testing.assert_array_equal(mnist.train.images_NHWC, train_pixels)
    np.testing.assert_array_equal(mnist.test.images_NHWC, test_pixels)
    np.testing.assert_array_equal(mnist.train.labels_N, _archive("train-labels-idx1-ubyte.gz", 8))
    np.testing.assert_array_equal(mnist.test.labels_N, _archive("t10k-labels-idx1-ubyte.gz", 8))
    assert mnist.train.images_NHWC.dtype == np.uint8
    assert mnist.train.labels_N.dtype == mnist.test.labels_N.dtype == np.int32
    assert (mnist.name, mnist.version, mnist.num_classes) == ("mnist", "3.0.1", 10)
    assert (mnist.image_shape, mnist.num_classes) == describe_dataset("mnist")
    # That of the published runs.
    assert mnist.fingerprint == "ceda791d3e53beaf"


def test_plain_tfds_reads_the_folder(mnist: Dataset, mnist_dir: str) -> None:
    for split, ours in (("train", mnist.train), ("test", mnist.test)):
        theirs = tfds.data_source("mnist", data_dir=mnist_dir, split=split)
        assert len(theirs) == len(ours.labels_N)
        for index in (0, 1, 999, 1000, 9999, len(theirs) - 1):
            np.testing.assert_array_equal(theirs[index]["image"], ours.images_NHWC[index])
            assert theirs[index]["label"] == ours.labels_N[index]


def test_decoding_gives_what_the_archives_gave(mnist_dir: str, tmp_path: Path) -> None:
    cached = load_dataset(data_dir=mnist_dir, train_split="test")
    copy = tmp_path / "mnist" / "3.0.1"
    copy.mkdir(parents=True)
    for path in Path(mnist_dir, "mnist", "3.0.1").iterdir():
        if path.suffix != ".npz":
            (copy / path.name).symlink_to(path)
    decoded = load_dataset(data_dir=str(tmp_path), train_split="test")
    assert decoded.fingerprint == cached.fingerprint


def test_what_we_know_of_the_three_is_what_tfds_knows() -> None:
    for name, source in SOURCES.items():
        theirs = tfds.builder(name, data_dir="/nonexistent")
        assert source.version == str(theirs.version)
        assert source.image_shape == theirs.info.features["image"].shape
        assert source.num_classes == theirs.info.features["label"].num_classes
        assert type(theirs).__module__.startswith("tensorflow_datasets")


def test_checksums_beside_the_archives() -> None:
    lines = (EMBEDDED_ARCHIVES / "SHA256SUMS").read_text().splitlines()
    assert len(lines) == 4
    for line in lines:
        expected, name = line.split()
        assert hashlib.sha256((EMBEDDED_ARCHIVES / name).read_bytes()).hexdigest() == expected
    readme = (EMBEDDED_ARCHIVES / "README.md").read_text()
    assert "Attribution-Share Alike 3.0" in readme and "Cortes" in readme
