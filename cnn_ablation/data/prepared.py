"""A dataset that TFDS has prepared: what its folder holds, known from its metadata alone."""

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cnn_ablation.data.features import FEATURES, INFO, require_harmless
from cnn_ablation.data.registered import registered_names
from cnn_ablation.data.sources import SOURCES
from cnn_ablation.errors import InputError

FILE_FORMATS = ("array_record", "tfrecord")


@dataclasses.dataclass(frozen=True)
class Shard:
    """One record file and the number of examples in it."""

    path: Path
    num_examples: int


@dataclasses.dataclass(frozen=True)
class Prepared:
    """One version of one dataset on disk.

    Attributes:
        folder: where its files are.
        name: TFDS name, with its config where it has one.
        version: TFDS version.
        file_format: one of `FILE_FORMATS`.
        image_shape: (height, width, channels).
        num_classes: number of labels.
        splits: the record files of each split, in order.
        split_infos: TFDS's own description of the splits.
    """

    folder: Path
    name: str
    version: str
    file_format: str
    image_shape: tuple[int, int, int]
    num_classes: int
    splits: dict[str, tuple[Shard, ...]]
    split_infos: Any


def find_prepared(name: str, root: Path) -> Prepared:
    """Finds a dataset by TFDS name (`name`, `name/config`, `name:version`) in a data_dir.

    Raises:
        InputError: it is not there, or does not hold labelled images of one size.
    """
    form = re.fullmatch(r"(\w+)(/[\w.+-]+)?(:[\w.*]+)?", name)
    if form is None or not (root / form[1]).is_dir():
        raise _not_there(name, root)
    from tensorflow_datasets.core import read_only_builder, registered

    # Which version it will be is TFDS's to say, so all of them are looked into.
    for path in (root / form[1]).rglob(FEATURES):
        require_harmless(path.parent)
    with _damage_named(root / form[1]):
        try:
            builder = read_only_builder.builder_from_files(name, data_dir=str(root))
        except registered.DatasetNotFoundError:
            raise _not_there(name, root) from None
        return _from_builder(builder)


def open_prepared(folder: Path) -> Prepared:
    """Reads the metadata of one `name/version` folder.

    Raises:
        InputError: metadata are missing or damaged, or it does not hold labelled images.
    """
    import tensorflow_datasets as tfds

    require_harmless(folder)
    with _damage_named(folder):
        builder = tfds.builder_from_directory(str(folder))
        return _from_builder(builder)


@contextlib.contextmanager
def _damage_named(folder: Path) -> Iterator[None]:
    """Turns what TFDS raises on damaged metadata into one line that names the folder."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # TFDS, json and protobuf have each their own.
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"{folder}: not a whole dataset of TFDS ({reason}); delete it and prepare it again"
        ) from error


def _from_builder(builder: Any) -> Prepared:
    info = builder.info
    folder = Path(str(info.data_dir))
    file_format = info.file_format.value
    if file_format not in FILE_FORMATS:
        raise InputError(
            f"{folder}: prepared as {file_format}, must be {' or '.join(FILE_FORMATS)}"
        )
    image_shape, num_classes = _check_features(info.features, folder)
    splits = {
        name: tuple(
            Shard(Path(str(path)), length)
            for path, length in zip(split.filepaths, split.shard_lengths, strict=True)
        )
        for name, split in info.splits.items()
    }
    for name, shards in splits.items():
        for shard in shards:
            if shard.num_examples < 0:
                raise InputError(f"{folder / INFO}: split {name} has {shard.num_examples} examples")
            if shard.path.parent != folder or len(os.fsencode(shard.path.name)) > 255:
                raise InputError(
                    f"{folder / INFO}: split {name} has the file {str(shard.path)[:300]}; must be "
                    "in that folder"
                )
    version = str(builder.version)
    name = info.full_name.removesuffix(f"/{version}")
    return Prepared(
        folder, name, version, file_format, image_shape, num_classes, splits, info.splits
    )


def _check_features(features: Any, folder: Path) -> tuple[tuple[int, int, int], int]:
    import tensorflow_datasets as tfds

    keys = sorted(features) if isinstance(features, tfds.features.FeaturesDict) else []
    if not {"image", "label"} <= set(keys):
        raise InputError(
            f"{folder}: has the features {', '.join(keys) or features},"
            " must have an image and a label"
        )
    image, label = features["image"], features["label"]
    if not isinstance(image, tfds.features.Image) or image.np_dtype != np.uint8:
        raise InputError(f"{folder}: its image feature is {image!r}, must be an Image of uint8")
    if len(image.shape) != 3 or any(size is None or size < 1 for size in image.shape):
        raise InputError(
            f"{folder}: its images have the shape {image.shape}, must all be of one size"
        )
    if not isinstance(label, tfds.features.ClassLabel) or not label.num_classes:
        raise InputError(f"{folder}: its label feature is {label!r}, must be a ClassLabel")
    height, width, channels = image.shape
    return (height, width, channels), label.num_classes


def _not_there(name: str, root: Path) -> InputError:
    # A version's folder lies in the dataset's own, or in that of a config.
    found = (path for depth in ("*/*/", "*/*/*/") for path in root.glob(f"{depth}features.json"))
    there = sorted({path.relative_to(root).parts[0] for path in found})
    others = f" (there: {', '.join(there)})" if there else ""
    own = f" (your folder here is ./{name})" if name and Path(name).is_dir() else ""
    return InputError(
        f"--dataset={name}: must be {', '.join((*SOURCES, *registered_names()))},"
        f" or a dataset that TFDS has prepared in {root}{others}, or a path of yours{own}"
    )
