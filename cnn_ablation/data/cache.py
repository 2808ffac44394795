"""Decoded arrays beside the record files they came from: whole and theirs, or not used.

One uncompressed npz per split. The format checks its own content (a CRC-32 for each array); what
else could go wrong is that the record files changed, so their sizes, times and CRC-32 are in it.
"""

import dataclasses
import json
import os
import secrets
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnn_ablation.data.dataset import LabeledImages
from cnn_ablation.data.progress import notify

_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class _RecordFile:
    """What tells one state of a record file from another."""

    name: str
    size: int
    modified_ns: int
    crc32: int

    @classmethod
    def of(cls, path: Path) -> "_RecordFile":
        stat = path.stat()
        return cls(path.name, stat.st_size, stat.st_mtime_ns, zlib.crc32(path.read_bytes()))

    def is_still(self, path: Path) -> bool:
        """Whether the file is what it was; a copied folder has other times but the same content."""
        stat = path.stat()
        if stat.st_size != self.size:
            return False
        return stat.st_mtime_ns == self.modified_ns or zlib.crc32(path.read_bytes()) == self.crc32


def cache_path(folder: Path, split: str) -> Path:
    """Where the decoded arrays of a split are kept."""
    return folder / f"cnn_ablation-{split}.npz"


def load_cache(folder: Path, split: str) -> LabeledImages | None:
    """Reads a split's arrays; None, with a notice, where they are damaged or out of date."""
    path = cache_path(folder, split)
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            source = json.loads(str(arrays["source"]))
            _require_current(source, folder)
            return _checked(arrays["images"], arrays["labels"], source["shape"])
    except Exception as error:  # A damaged archive can make zipfile and NumPy raise anything.
        notify(f"{path}: not used ({error}); decoding the prepared images instead")
        return None


def save_cache(folder: Path, split: str, records: Sequence[Path], images: LabeledImages) -> None:
    """Writes a split's arrays atomically; where that fails, says so and goes on without."""
    path = cache_path(folder, split)
    temporary = folder / f".{path.name}.{secrets.token_hex(4)}"
    try:
        source = {
            "format": _FORMAT,
            "shape": images.images_NHWC.shape,
            "records": [dataclasses.asdict(_RecordFile.of(record)) for record in records],
        }
        _remove_leftovers(path)
        try:
            with temporary.open("xb") as file:
                np.savez(
                    file,
                    images=images.images_NHWC,
                    labels=images.labels_N,
                    source=np.array(json.dumps(source)),
                )
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        notify(f"{path}: cannot be written ({error.strerror}); images are decoded at every start")


def _remove_leftovers(path: Path) -> None:
    """Removes what a writer that was killed has left."""
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink(missing_ok=True)


def _require_current(source: Any, folder: Path) -> None:
    if source["format"] != _FORMAT:
        raise ValueError(f"format {source['format']}, must be {_FORMAT}")
    for entry in source["records"]:
        file = _RecordFile(**entry)
        if not file.is_still(folder / file.name):
            raise ValueError(f"{file.name} has changed since")


def _checked(images_NHWC: np.ndarray, labels_N: np.ndarray, shape: list[int]) -> LabeledImages:
    # NumPy checks an array's CRC-32 once it has read to the end, which a damaged shape may prevent.
    if images_NHWC.dtype != np.uint8 or list(images_NHWC.shape) != shape:
        raise ValueError(f"images are {images_NHWC.dtype} {images_NHWC.shape}")
    if labels_N.dtype != np.int32 or labels_N.shape != images_NHWC.shape[:1]:
        raise ValueError(f"labels are {labels_N.dtype} {labels_N.shape}")
    return LabeledImages(images_NHWC, labels_N)
