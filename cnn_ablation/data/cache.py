"""Decoded arrays beside the record files they came from: whole and theirs, or not used.

One uncompressed npz per split, with what tells that it is right: the dataset, version and split
that it is of, shape and CRC-32 of its arrays
(the npz format has a CRC-32 too, but NumPy may leave it unread where a header is damaged), and
sizes, times and CRC-32 of the record files.
"""

import dataclasses
import json
import math
import os
import secrets
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnn_ablation.data.dataset import LabeledImages
from cnn_ablation.display.notices import notify
from cnn_ablation.errors import one_line
from cnn_ablation.system.stored import parse_object, seal, unseal

_FORMAT = 2
# All keys from before there were checksums.
_OLDER = ("format", "shape", "images_crc32", "labels_crc32", "records")
_HEADERS: dict[tuple[int, int], Any] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


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
        _require_sizes(path)
        with np.load(path, allow_pickle=False) as arrays:
            source = unseal(parse_object(str(arrays["source"]).encode()), _OLDER)
            _require_current(source, folder, split)
            return _checked(LabeledImages(arrays["images"], arrays["labels"]), source)
    except Exception as error:  # A damaged archive can make zipfile and NumPy raise anything.
        why = one_line(str(error))[:300]
        notify(f"{path}: not used ({why}); decoding the prepared images instead")
        return None


def save_cache(folder: Path, split: str, records: Sequence[Path], images: LabeledImages) -> bool:
    """Writes a split's arrays atomically.

    Returns:
        Whether they are there; where they cannot be written, a notice says so.
    """
    path = cache_path(folder, split)
    temporary = folder / f".{path.name}.{secrets.token_hex(4)}"
    try:
        source = {
            "format": _FORMAT,
            **_whose(folder, split),
            **_state(images),
            "records": [dataclasses.asdict(_RecordFile.of(record)) for record in records],
        }
        _remove_leftovers(path)
        try:
            with temporary.open("xb") as file:
                np.savez(
                    file,
                    images=images.images_NHWC,
                    labels=images.labels_N,
                    source=np.array(json.dumps(seal(source))),
                )
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        notify(f"{path}: cannot be written ({error.strerror}); images are decoded at every start")
        return False
    return True


def _remove_leftovers(path: Path) -> None:
    """Removes what a writer that was killed has left."""
    for leftover in path.parent.glob(f".{path.name}.*"):
        leftover.unlink(missing_ok=True)


def _whose(folder: Path, split: str) -> dict[str, str]:
    """What tells the arrays of one split from those of another, by the folder that they are of."""
    return {"dataset": folder.parent.name, "version": folder.name, "split": split}


def _require_sizes(path: Path) -> None:
    """Compares what the file says of its arrays with its own size, before memory is asked for."""
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED or member.file_size > size:
                raise ValueError(f"{member.filename} is larger than the file")
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                shape, _, dtype = _HEADERS[version](file)
                if file.tell() + math.prod(shape) * dtype.itemsize != member.file_size:
                    raise ValueError(f"{member.filename} has no room for {shape} of {dtype}")


def _require_current(source: Any, folder: Path, split: str) -> None:
    if source["format"] != _FORMAT:
        raise ValueError(f"format {source['format']}, must be {_FORMAT}")
    for name, value in _whose(folder, split).items():
        if source[name] != value:
            raise ValueError(f"it is of the {name} {source[name]}, not of {value}")
    for entry in source["records"]:
        file = _RecordFile(**entry)
        if Path(file.name).name != file.name:
            raise ValueError(f"{file.name} is no file of the folder")
        if not file.is_still(folder / file.name):
            raise ValueError(f"{file.name} has changed since")


def _checked(images: LabeledImages, source: Any) -> LabeledImages:
    if images.images_NHWC.dtype != np.uint8 or images.labels_N.dtype != np.int32:
        raise ValueError(f"types {images.images_NHWC.dtype} and {images.labels_N.dtype}")
    for key, value in _state(images).items():
        if source[key] != value:
            raise ValueError(f"{key} {value}, must be {source[key]}")
    return images


def _state(images: LabeledImages) -> dict[str, Any]:
    return {
        "shape": list(images.images_NHWC.shape),
        "images_crc32": zlib.crc32(np.ascontiguousarray(images.images_NHWC).data),
        "labels_crc32": zlib.crc32(np.ascontiguousarray(images.labels_N).data),
    }
