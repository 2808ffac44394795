"""A user's own images: a folder with one folder a class, of PNG and JPEG files.

With the folders `train` and `test`, each with the same classes, these are the splits. Without them
one file in five of each class is for tests, chosen by a hash of its name: the same on every
machine, and whatever other files are added. The order of a split is by that hash too, so that
`train[:10%]` holds all classes.
"""

import hashlib
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from cnn_ablation.data.dataset import Dataset
from cnn_ablation.data.resizing import resize
from cnn_ablation.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg")
SPLITS = ("train", "test")
# One in so many files of a class is for tests, where there are no two folders.
_TEST_EVERY = 5
_NO_DATA = ("Thumbs.db", "__MACOSX")
_GREY = ("1", "L", "LA")
_COLOUR = ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr", "HSV", "LAB")
# The files of each class, and these of each split.
_Files = Mapping[str, list[Path]]
Splits = Mapping[str, _Files]


def read_folder(splits: Splits, name: str, image_size: tuple[int, ...] = ()) -> Dataset:
    """The dataset of a folder's files. Classes are numbered in the order of their names.

    Images are grey where all are; else all are RGB. Transparency is dropped, and a JPEG is turned
    as its EXIF data say.

    Args:
        splits: the files of each class, of each split.
        name: what to call the dataset.
        image_size: height and width to resize to, or () where all images have one size.

    Raises:
        InputError: a file is not what it must be; the message names it.
    """
    classes = sorted(splits["train"])
    reader = ImageReader(image_size)
    arrays = {}
    for split, files in splits.items():
        ordered = sorted(
            ((file, label) for label, one in enumerate(classes) for file in files[one]),
            key=lambda entry: _hash(f"{entry[0].parent.name}/{entry[0].name}"),
        )
        images = [reader.read(file) for file, _ in ordered]
        arrays[split] = (images, np.array([label for _, label in ordered], np.int32))
    coloured = any(image.shape[-1] == 3 for images, _ in arrays.values() for image in images)
    parts = [(_stacked(images, coloured=coloured), labels) for images, labels in arrays.values()]
    return Dataset.from_arrays(name, parts[0], parts[1], class_names=classes)


def list_folder(path: Path) -> Splits:
    """The files of each class, of the splits `train` and `test`; none is opened.

    Raises:
        InputError: a folder, or a file's name, is not what it must be; the message names it.
    """
    folders = {folder.name: folder for folder in _folders(path)}
    found = [split for split in SPLITS if split in folders]
    if len(found) == 1:
        (lacks,) = set(SPLITS) - set(found)
        raise InputError(f"{path}: has {found[0]}/ but no {lacks}/; must have both, or neither")
    if not found:
        return _divided(path, _classes(path))
    splits = {split: _classes(folders[split]) for split in SPLITS}
    for one, other in (SPLITS, SPLITS[::-1]):
        for name in sorted(set(splits[one]) - set(splits[other])):
            raise InputError(f"{path}: class {name} is in {one}/ and not in {other}/")
    return splits


def unused_folders(path: Path) -> list[Path]:
    """The folders beside `train` and `test`, where there are these."""
    folders = _folders(path)
    split = {folder.name for folder in folders} >= set(SPLITS)
    return [folder for folder in folders if split and folder.name not in SPLITS]


def _divided(path: Path, classes: _Files) -> Splits:
    splits: dict[str, dict[str, list[Path]]] = {split: {} for split in SPLITS}
    for name, files in classes.items():
        if len(files) < 2:
            raise InputError(
                f"{path / name}: holds {len(files)} image; must hold 2 or more, for one in "
                f"{_TEST_EVERY} is for tests"
            )
        ordered = sorted(files, key=lambda file: _hash(file.name))
        for_tests = -(-len(files) // _TEST_EVERY)
        splits["test"][name], splits["train"][name] = ordered[:for_tests], ordered[for_tests:]
    return {**splits}


def _classes(path: Path) -> _Files:
    classes = {folder.name: list(_images(folder)) for folder in _folders(path)}
    if not classes:
        raise InputError(f"{path}: holds no folder; must hold a folder of images for each class")
    if len(classes) == 1:
        raise InputError(f"{path}: holds one class, {next(iter(classes))}; must hold two or more")
    for name, files in classes.items():
        if not files:
            raise InputError(f"{path / name}: holds no image; must hold {', '.join(SUFFIXES)}")
    return classes


def _folders(path: Path) -> list[Path]:
    return [one for one in _inside(path) if one.is_dir()]


def _inside(path: Path) -> list[Path]:
    """What a folder holds, but for what systems put there by themselves, such as .DS_Store."""
    try:
        found = sorted(path.iterdir())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    return [one for one in found if not one.name.startswith(".") and one.name not in _NO_DATA]


def _images(folder: Path) -> Iterator[Path]:
    for file in _inside(folder):
        if file.is_dir():
            raise InputError(f"{file}: is a folder inside a class; a class must hold images alone")
        if file.suffix.lower() not in SUFFIXES or not file.is_file():
            raise InputError(f"{file}: must be an image in {', '.join(SUFFIXES)}")
        yield file


class ImageReader:
    """Reads images that must be of one size, or are brought to one."""

    def __init__(self, size: tuple[int, ...]) -> None:
        self._size = size
        self._first: tuple[Path, tuple[int, ...]] | None = None

    def read(self, file: Path) -> np.ndarray:
        """One image, uint8 (height, width, 1 or 3)."""
        image_HWC = _decode(file)
        if self._size:
            return resize(image_HWC, self._size)
        shape = image_HWC.shape[:2]
        first, size = self._first = self._first or (file, shape)
        if shape != size:
            raise InputError(
                f"{file}: is {shape[1]}x{shape[0]} pixels, {first} is {size[1]}x{size[0]}; all "
                "must be of one size, or be resized by --image_size"
            )
        return image_HWC


def _decode(file: Path) -> np.ndarray:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=("PNG", "JPEG")) as opened:
                mode = opened.mode
                if mode in _GREY + _COLOUR:
                    image = ImageOps.exif_transpose(opened).convert("L" if mode in _GREY else "RGB")
    except UnidentifiedImageError:
        raise InputError(f"{file}: is damaged, or neither PNG nor JPEG") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise InputError(f"{file}: has more pixels than Pillow opens safely") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{file}: is damaged or cannot be read ({reason})") from None
    if mode not in _GREY + _COLOUR:
        raise InputError(f"{file}: has pixels of the form {mode}; must have 8 bits a channel")
    array = np.asarray(image)
    return array if array.ndim == 3 else array[..., np.newaxis]


def _stacked(images: list[np.ndarray], *, coloured: bool) -> np.ndarray:
    if coloured:
        images = [np.repeat(one, 3, axis=-1) if one.shape[-1] == 1 else one for one in images]
    return np.stack(images)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
