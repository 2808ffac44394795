"""IDX, PNG and TFRecord, each against an implementation that is not ours."""

import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnn_ablation.data import idx, png
from cnn_ablation.data.tfrecord import masked_crc32c, read_tfrecord
from cnn_ablation.errors import InputError


def _gzip(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content))
    return path


def test_idx_images_and_labels(tmp_path: Path) -> None:
    pixels = bytes(range(24))
    images = idx.read_images(_gzip(tmp_path / "i.gz", struct.pack(">4I", 0x803, 2, 3, 4) + pixels))
    labels = idx.read_labels(
        _gzip(tmp_path / "l.gz", struct.pack(">2I", 0x801, 3) + b"\x07\x00\xff")
    )
    assert images.shape == (2, 3, 4, 1) and images.dtype == np.uint8
    assert images.tobytes() == pixels
    assert labels.tolist() == [7, 0, 255] and labels.dtype == np.int32


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (struct.pack(">4I", 0x803, 2, 3, 4) + bytes(23), "holds 23 values.*2x3x4"),
        (struct.pack(">4I", 0x803, 2, 3, 4) + bytes(25), "holds 25 values.*2x3x4"),
        (struct.pack(">2I", 0x801, 3) + bytes(3), "starts with 00000801.*00000803"),
        (struct.pack(">4I", 0xD03, 2, 3, 4) + bytes(96), "starts with 00000d03"),
        (b"\x00\x00\x08\x03\x00", "starts with"),
        (b"", "starts with"),
    ],
)
def test_idx_that_is_not_what_it_says(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=rf"a\.gz: {says}"):
        idx.read_images(_gzip(tmp_path / "a.gz", content))


def test_idx_in_a_damaged_archive(tmp_path: Path) -> None:
    path = _gzip(tmp_path / "a.gz", struct.pack(">2I", 0x801, 300) + bytes(300))
    whole = path.read_bytes()
    for damaged in (whole[:-5], whole[:20], b"not gzip", whole[:-6] + b"\x00" + whole[-5:]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"a\.gz: not a whole gzip archive"):
            idx.read_labels(path)


@given(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_png_is_read_back_by_pillow(count: int, height: int, width: int, seed: int) -> None:
    images = np.random.default_rng(seed).integers(0, 256, (count, height, width, 1), np.uint8)
    for image, encoded in zip(images, png.encode(images), strict=True):
        with Image.open(io.BytesIO(encoded)) as decoded:
            decoded.verify()
        with Image.open(io.BytesIO(encoded)) as decoded:
            assert decoded.mode == "L"
            np.testing.assert_array_equal(np.asarray(decoded), image[..., 0])


def _crc32c(block: bytes) -> int:
    """CRC-32C one bit at a time, as its definition has it."""
    crc = 0xFFFFFFFF
    for byte in block:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _masked(block: bytes) -> int:
    crc = _crc32c(block)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _tfrecord(blocks: list[bytes]) -> bytes:
    parts = []
    for block in blocks:
        length = struct.pack("<Q", len(block))
        parts += [length, struct.pack("<I", _masked(length)), block]
        parts.append(struct.pack("<I", _masked(block)))
    return b"".join(parts)


def test_crc32c_of_the_standard_check_string() -> None:
    assert _crc32c(b"123456789") == 0xE3069283
    assert masked_crc32c(b"123456789") == _masked(b"123456789")


@given(st.lists(st.binary(max_size=50), max_size=8))
@settings(max_examples=50)
def test_tfrecord_reads_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("tfrecord") / "a"
    path.write_bytes(_tfrecord(blocks))
    assert read_tfrecord(path) == blocks


def test_tfrecord_names_any_flipped_bit_and_any_cut(tmp_path: Path) -> None:
    path = tmp_path / "a"
    whole = _tfrecord([b"first", b"second one"])
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"checksum|cut off"):
            read_tfrecord(path)
    for length in set(range(1, len(whole))) - {len(_tfrecord([b"first"]))}:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="cut off"):
            read_tfrecord(path)
