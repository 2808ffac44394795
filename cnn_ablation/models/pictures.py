"""Images that a model is asked about, from files: PNG and JPEG, folders of them, npz."""

import dataclasses
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnn_ablation.data import DataLocation, load_data
from cnn_ablation.data.folder import SUFFIXES, ImageReader
from cnn_ablation.design import DataSpec
from cnn_ablation.errors import InputError
from cnn_ablation.models.model import Model

_IMAGES = ("x_test", "images", "x")
_LABELS = ("y_test", "labels", "y")


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Images with what they are called.

    Attributes:
        names: what each is called: its path, or file and number.
        images_NHWC: their pixels.
        labels_N: their classes, where these are known.
    """

    names: tuple[str, ...]
    images_NHWC: np.ndarray
    labels_N: np.ndarray | None


def read_pictures(given: Sequence[Path], model: Model) -> Pictures:
    """The images that paths name, in the form that a model takes.

    A file in a folder that is called as a class of the model is taken to be of that class, and an
    npz file may hold `x_test` and `y_test`, or `images` and `labels`; where the classes of all
    images are known, answers can be scored.

    Args:
        given: PNG or JPEG files, folders of them at any depth, or npz files.
        model: the model. Where its images were resized in training, these are too.

    Raises:
        InputError: a file cannot be read, or its image does not fit the model.
    """
    names: list[str] = []
    arrays: list[np.ndarray] = []
    labels: list[int | None] = []
    reader = ImageReader(model.spec.data.image_size)
    for path in given:
        if path.suffix == ".npz" and path.is_file():
            images, known = _archive(path)
            names += [f"{path}[{number}]" for number in range(len(images))]
            arrays += [_fitted(f"{path}: images", one, model) for one in images]
            labels += [None] * len(images) if known is None else [int(one) for one in known]
            continue
        for file in _files(path):
            names.append(str(file))
            arrays.append(_fitted(str(file), reader.read(file), model))
            labels.append(_label(file, model))
    if not arrays:
        raise InputError(f"{given[0]}: holds no image; must hold {', '.join(SUFFIXES)}")
    known_N = None if None in labels else np.array(labels, np.int32)
    return Pictures(tuple(names), np.stack(arrays), known_N)


def pictures_of(dataset: str, split: str, model: Model, location: DataLocation) -> Pictures:
    """A split of a dataset, as pictures.

    Raises:
        InputError: it cannot be had, or does not fit the model.
    """
    data = DataSpec(dataset, test_split=split, image_size=model.spec.data.image_size)
    test = load_data(data, location, progress=True).test
    shape, wanted = test.images_NHWC.shape[1:], model.image_shape
    if shape != wanted:
        raise InputError(f"--dataset={dataset}: has images of {_size(shape)}, {_takes(model)}")
    names = tuple(f"{dataset} {split}[{n}]" for n in range(len(test.labels_N)))
    return Pictures(names, test.images_NHWC, test.labels_N)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise InputError(f"{path}: must be an image in {', '.join(SUFFIXES)}, or an npz file")
        return [path]
    if not path.is_dir():
        raise InputError(f"{path}: is not there; must be an image, a folder of images or an npz")
    found = (file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    return sorted(file for file in found if file.is_file() and not file.name.startswith("."))


def _label(file: Path, model: Model) -> int | None:
    name = file.resolve().parent.name
    return model.class_names.index(name) if name in model.class_names else None


def _fitted(what: str, image: np.ndarray, model: Model) -> np.ndarray:
    image_HWC = image if image.ndim == 3 else image[..., np.newaxis]
    shape, wanted = image_HWC.shape, model.image_shape
    if shape == wanted:
        return image_HWC
    # As in training, where all images are RGB if one is.
    if shape == (*wanted[:2], 1) and wanted[2] == 3:
        return np.repeat(image_HWC, 3, axis=-1)
    raise InputError(f"{what}: is {_size(shape)}, {_takes(model)}")


def _size(shape: Sequence[int]) -> str:
    kind = {1: "grey", 3: "RGB"}.get(shape[-1], f"{shape[-1]} channels")
    return f"{shape[1]}x{shape[0]} pixels, {kind}"


def _takes(model: Model) -> str:
    return f"the model takes {_size(model.image_shape)}"


def _archive(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    try:
        with np.load(path, allow_pickle=False) as file:
            images = next((file[name] for name in _IMAGES if name in file.files), None)
            labels = next((file[name] for name in _LABELS if name in file.files), None)
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        why: Any = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read as an npz file ({why})") from None
    if images is None:
        raise InputError(f"{path}: must hold the array {', '.join(_IMAGES[:-1])} or {_IMAGES[-1]}")
    if images.ndim not in (3, 4) or not len(images):
        raise InputError(f"{path}: images have the shape {images.shape}; must be several images")
    if labels is not None and (labels.dtype.kind not in "iu" or labels.size != len(images)):
        raise InputError(f"{path}: labels must be a class number for each of the images")
    return images, None if labels is None else labels.reshape(-1)
