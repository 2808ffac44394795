"""Datasets that a path names: a folder of images, or an npz file.

They are read once in a process, and again once a file in them has changed.
"""

import os
from pathlib import Path

from cnn_ablation.data.archive import read_archive
from cnn_ablation.data.dataset import Dataset
from cnn_ablation.data.folder import Splits, list_folder, read_folder, unused_folders
from cnn_ablation.design.data import ARCHIVE, looks_like_path
from cnn_ablation.display.notices import notify
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
    key, name = (path.resolve(), image_size), path.resolve().name.removesuffix(ARCHIVE)
    splits = list_folder(path) if path.is_dir() else None
    state = _state_of([path] if splits is None else _files_of(splits))
    if key not in _read or _read[key][0] != state:
        if splits is None:
            made = read_archive(path, name)
        else:
            made = read_folder(splits, name, image_size)
            for folder in unused_folders(path):
                notify(f"{folder}: not used; images are those of train/ and test/")
        _read[key] = (state, made)
    return _read[key][1]


def _files_of(splits: Splits) -> list[Path]:
    return [file for classes in splits.values() for files in classes.values() for file in files]


def _state_of(files: list[Path]) -> _State:
    """What tells one state of the files from another."""
    states = [(str(file), file.stat()) for file in files]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in states)
