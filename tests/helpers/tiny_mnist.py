"""MNIST in miniature: archives of the right form, and TFDS made to expect their checksums."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
from tensorflow_datasets.core.download import checksums

from cnn_ablation.data import Dataset, sources
from cnn_ablation.data.builders import BUILDERS
from cnn_ablation.data.sources import Archives

NAMES = Archives()
TRAIN, TEST = 60, 20
_registered_by_tfds = checksums.get_all_url_infos


def arrays(seed: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Random images and labels of both splits."""
    rng = np.random.default_rng(seed)
    return {
        split: (
            rng.integers(0, 256, (count, 28, 28, 1), np.uint8),
            rng.integers(0, 10, count, np.int32),
        )
        for split, count in (("train", TRAIN), ("test", TEST))
    }


def write(folder: Path, seed: int = 0) -> Path:
    """Writes the four archives of `arrays(seed)`."""
    folder.mkdir(parents=True, exist_ok=True)
    splits = arrays(seed)
    for split, images, labels in (
        ("train", NAMES.train_images, NAMES.train_labels),
        ("test", NAMES.test_images, NAMES.test_labels),
    ):
        images_NHWC, labels_N = splits[split]
        write_idx(folder / images, images_NHWC[..., 0])
        write_idx(folder / labels, labels_N.astype(np.uint8))
    return folder


def write_idx(path: Path, values: np.ndarray) -> None:
    """Writes one gzipped IDX file."""
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    path.write_bytes(gzip.compress(header + values.tobytes(), mtime=0))


def register(folders: dict[str, Path]) -> None:
    """Makes TFDS expect, for each dataset named, the archives that now are in a folder."""
    infos = dict(_registered_by_tfds())
    for name, folder in folders.items():
        for file in NAMES.names():
            content = (folder / file).read_bytes()
            infos[BUILDERS[name].URL + file] = checksums.UrlInfo(
                size=len(content), checksum=hashlib.sha256(content).hexdigest(), filename=file
            )
    checksums.get_all_url_infos = lambda: dict(infos)


def embed(folder: Path) -> None:
    """Puts a folder's archives in the place of the embedded ones."""
    sources.EMBEDDED_ARCHIVES = folder
    register({"mnist": folder})


def version_folder(data_dir: Path, name: str = "mnist") -> Path:
    """Where a dataset is prepared."""
    return data_dir / name / "3.0.1"


def assert_loaded(dataset: Dataset, seed: int = 0) -> None:
    """Asserts that a dataset is `arrays(seed)`."""
    expected = arrays(seed)
    for split, part in (("train", dataset.train), ("test", dataset.test)):
        np.testing.assert_array_equal(part.images_NHWC, expected[split][0])
        np.testing.assert_array_equal(part.labels_N, expected[split][1])
