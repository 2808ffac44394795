"""Datasets that a path names: a folder of images, or an npz file.

They are read once in a process, and again once a file in them has changed.
"""

import os
from pathlib import Path

from cnn_ablation.data.archive import read_archive
from cnn_ablation.data.dataset import Dataset
from cnn_ablation.data.folder import everything_below, read_folder
from cnn_ablation.design.data import ARCHIVE, looks_like_path
from cnn_ablation.errors import InputError
from cnn_ablation.system.paths import user_path

_State = tuple[tuple[str, int, int], ...]
_read: dict[tuple[Path, tuple[int, ...]], tuple[_State, Dataset]] = {}


def find(name: str, folder: str | None = None) -> Path | None:
    """The path that a dataset's name is; None where it is no path.

    Args:
        name: what `--dataset` says. It is a path where it begins as one, ends in `.npz`, or has a
            folder of that name in another.
        folder: where relative paths begin; None is the folder that the process is in.

    Raises:
        InputError: it can be nothing but a path, and there is nothing there.
    """
    if not (looks_like_path(name) or os.sep in name):
        return None
    path = Path(folder or ".") / user_path("dataset", name)
    if path.is_dir() or (path.is_file() and name.endswith(ARCHIVE)):
        return path
    if not looks_like_path(name):
        return None
    what = "is neither a folder nor a file in .npz" if path.exists() else "is not there"
    raise InputError(
        f"--dataset={name}: {what}; must be a folder with a folder of images for each class, or a "
        f"file{ARCHIVE}"
    )


def read(path: Path, image_size: tuple[int, ...]) -> Dataset:
    """All images below a path.

    Args:
        path: a folder, or an npz file.
        image_size: height and width that the images of a folder are resized to, or ().

    Raises:
        InputError: something in it is wrong; the message names the file.
    """
    key = (path.resolve(), image_size)
    state = _state_of(path)
    if key not in _read or _read[key][0] != state:
        name = path.resolve().name.removesuffix(ARCHIVE)
        made = read_folder(path, name, image_size) if path.is_dir() else read_archive(path, name)
        _read[key] = (state, made)
    return _read[key][1]


def _state_of(path: Path) -> _State:
    """What tells one state of the files from another."""
    found = []
    for file in everything_below(path) if path.is_dir() else [path]:
        stat = file.stat()
        times = (-1, 0) if file.is_dir() else (stat.st_size, stat.st_mtime_ns)
        found.append((str(file.relative_to(path)), *times))
    return tuple(found)
