"""Prepared record files to arrays, without TensorFlow."""

import io
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cnn_ablation.data.dataset import LabeledImages
from cnn_ablation.data.prepared import Prepared, Shard
from cnn_ablation.data.tfrecord import read_tfrecord
from cnn_ablation.display.notices import progress_bar
from cnn_ablation.errors import InputError

_CHUNK = 1000
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def decode_split(prepared: Prepared, split: str, *, progress: bool) -> LabeledImages:
    """Reads and decodes every example of a split, in the order in which it was prepared.

    Raises:
        InputError: a record file is missing or damaged; the message names it.
    """
    shards = prepared.splits[split]
    _require_sizes(shards, prepared)
    total = sum(shard.num_examples for shard in shards)
    images_NHWC = np.empty((total, *prepared.image_shape), np.uint8)
    labels_N = np.empty(total, np.int32)
    text = f"decoding {prepared.name} {prepared.version} {split}"
    with progress_bar(text, total, enabled=progress) as advance:
        position = 0
        for shard in shards:
            for records in _read(shard, prepared):
                for record in records:
                    try:
                        label = _decode(record, images_NHWC[position])
                        _require_class(label, prepared.num_classes)
                    except Exception as error:
                        raise _damaged(shard, prepared, error) from error
                    labels_N[position] = label
                    position += 1
                advance(len(records))
    return LabeledImages(images_NHWC, labels_N)


def _require_sizes(shards: Sequence[Shard], prepared: Prepared) -> None:
    """Compares what metadata say with the files, before memory is asked for."""
    for shard in shards:
        # A record is a byte or more.
        if shard.path.is_file() and not 0 <= shard.num_examples <= shard.path.stat().st_size:
            count = ValueError(f"too small for {shard.num_examples} records")
            raise _damaged(shard, prepared, count)
    for shard in shards[:1]:
        for records in itertools.islice(_read(shard, prepared), 1):
            try:
                with _open(records[0]) as image:
                    _require_size(image, prepared.image_shape)
            except Exception as error:
                raise _damaged(shard, prepared, error) from error


def _read(shard: Shard, prepared: Prepared) -> Iterator[list[bytes]]:
    """Yields a file's records in chunks, each checked against its own checksum."""
    read = {"array_record": _read_array_record, "tfrecord": _read_tfrecord}[prepared.file_format]
    try:
        if not shard.path.is_file():
            raise FileNotFoundError("the file is missing")
        yield from read(shard)
    except (RuntimeError, ValueError, OSError, IndexError) as error:
        raise _damaged(shard, prepared, error) from error


def _read_array_record(shard: Shard) -> Iterator[list[bytes]]:
    from array_record.python.array_record_module import ArrayRecordReader

    reader = ArrayRecordReader(str(shard.path))
    _require_count(reader.num_records(), shard)
    for start in range(0, shard.num_examples, _CHUNK):
        yield reader.read(start, min(start + _CHUNK, shard.num_examples))


def _read_tfrecord(shard: Shard) -> Iterator[list[bytes]]:
    records = read_tfrecord(shard.path)
    _require_count(len(records), shard)
    for start in range(0, shard.num_examples, _CHUNK):
        yield records[start : start + _CHUNK]


def _require_count(count: int, shard: Shard) -> None:
    if count != shard.num_examples:
        raise ValueError(f"{count} records, dataset_info.json has {shard.num_examples}")


def _decode(record: bytes, image_HWC: np.ndarray) -> int:
    """Decodes one tf.Example into `image_HWC` and returns its label."""
    (label,) = _features(record)["label"].int64_list.value
    with _open(record) as image:
        _require_size(image, image_HWC.shape)
        mode = _MODES[image_HWC.shape[-1]]
        pixels: Any = image if image.mode == mode else image.convert(mode)
        decoded = np.asarray(pixels)
    if decoded.size != image_HWC.size:
        raise ValueError(f"an image of shape {decoded.shape}, must be {image_HWC.shape}")
    image_HWC[...] = decoded.reshape(image_HWC.shape)
    return label


def _features(record: bytes) -> Any:
    from tensorflow_datasets.proto import tf_example_pb2

    return tf_example_pb2.Example.FromString(record).features.feature


def _open(record: bytes) -> Any:
    """An example's image, of which no pixel is decoded yet."""
    from PIL import Image

    (encoded,) = _features(record)["image"].bytes_list.value
    return Image.open(io.BytesIO(encoded))


def _require_size(image: Any, shape: tuple[int, ...]) -> None:
    width, height = image.size
    if (height, width) != tuple(shape[:2]):
        raise ValueError(f"an image of {height} x {width} pixels, must be {shape[0]} x {shape[1]}")


def _require_class(label: int, num_classes: int) -> None:
    if not 0 <= label < num_classes:
        raise ValueError(f"label {label}, must be 0 to {num_classes - 1}")


def _damaged(shard: Shard, prepared: Prepared, error: Exception) -> InputError:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return InputError(
        f"{shard.path}: damaged ({reason}); delete {prepared.folder} and prepare it again"
    )
