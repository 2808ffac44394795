"""TFDS split syntax (`train`, `train[:10%]`, `train+test`) to images of whole splits."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cnn_ablation.data.dataset import LabeledImages
from cnn_ablation.errors import InputError

Range = tuple[str, int, int]


def is_plain(spec: str) -> bool:
    """Whether a spec is a name, so that arrays kept under it are what it selects."""
    return re.fullmatch(r"\w+", spec) is not None


def resolve(spec: str, infos: Any, *, flag: str) -> list[Range]:
    """Translates a spec with TFDS's own parser.

    Args:
        spec: TFDS split syntax.
        infos: TFDS's description of the splits that it selects from.
        flag: the flag that gave the spec, for the message.

    Returns:
        (split, start, stop) of each piece, in order.

    Raises:
        InputError: the spec is not understood, or selects no image.
    """
    starts = _starts(infos)
    try:
        pieces = [
            (*starts[Path(str(piece.filename)).name], piece.skip, piece.take)
            for piece in infos[spec].file_instructions
        ]
    except (ValueError, KeyError, AssertionError, TypeError, IndexError):
        raise _refused(spec, infos, flag, "must name splits in TFDS's syntax") from None
    ranges = [
        (split, start + skip, start + skip + take) for split, start, skip, take in pieces if take
    ]
    if not ranges:
        raise _refused(spec, infos, flag, "selects no image")
    return ranges


def describe_arrays(sizes: Mapping[str, int]) -> Any:
    """TFDS's description of splits that are in memory, by their names and numbers of images."""
    from tensorflow_datasets.core import naming, splits

    return splits.SplitDict(
        [
            splits.SplitInfo(
                name=split,
                shard_lengths=[size],
                num_bytes=0,
                # Files that are not there: the parser wants to say in which an example would be.
                filename_template=naming.ShardedFileTemplate(
                    data_dir=Path(), dataset_name="arrays", split=split, filetype_suffix="none"
                ),
            )
            for split, size in sizes.items()
        ]
    )


def select(ranges: list[Range], read: Callable[[str], LabeledImages]) -> LabeledImages:
    """Cuts ranges out of whole splits, and joins them."""
    parts = []
    for split, start, stop in ranges:
        whole = read(split)
        parts.append(LabeledImages(whole.images_NHWC[start:stop], whole.labels_N[start:stop]))
    if len(parts) == 1:
        return parts[0]
    return LabeledImages(
        np.concatenate([part.images_NHWC for part in parts]),
        np.concatenate([part.labels_N for part in parts]),
    )


def _starts(infos: Any) -> dict[str, tuple[str, int]]:
    """Where each record file begins in its split."""
    starts = {}
    for split, info in infos.items():
        position = 0
        for path, length in zip(info.filepaths, info.shard_lengths, strict=True):
            starts[Path(str(path)).name] = (split, position)
            position += length
    return starts


def _refused(spec: str, infos: Any, flag: str, why: str) -> InputError:
    sizes = ", ".join(f"{name} ({info.num_examples} images)" for name, info in infos.items())
    return InputError(f"--{flag}={spec}: {why}, such as train[:10%]; there are {sizes}")
