"""TFRecord files without TensorFlow: what TFDS writes where TensorFlow is installed.

A record is its length (uint64), the length's checksum, its bytes, and their checksum, all
little-endian; checksums are masked CRC-32C. Source: TensorFlow, "TFRecord and tf.train.Example",
section "TFRecords format details".
"""

import struct
from pathlib import Path

import google_crc32c

_MASK_DELTA = 0xA282EAD8
_LENGTH, _CHECKSUM = struct.Struct("<Q"), struct.Struct("<I")


def read_tfrecord(path: Path) -> list[bytes]:
    """Reads every record of a file, each checked against its checksum.

    Raises:
        ValueError: the file is damaged.
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    records: list[bytes] = []
    position = 0
    while position < len(content):
        length = _LENGTH.unpack(_checked(content, position, _LENGTH.size, len(records)))[0]
        position += _LENGTH.size + _CHECKSUM.size
        records.append(_checked(content, position, length, len(records)))
        position += length + _CHECKSUM.size
    return records


def masked_crc32c(block: bytes) -> int:
    """TFRecord's checksum of some bytes: their CRC-32C, rotated by 15 bits and moved on."""
    crc = google_crc32c.value(block)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def _checked(content: bytes, start: int, length: int, number: int) -> bytes:
    """The bytes of a record or of its length, which their checksum follows."""
    end = start + length
    if end + _CHECKSUM.size > len(content):
        raise ValueError(f"cut off at byte {len(content)}")
    block = content[start:end]
    if masked_crc32c(block) != _CHECKSUM.unpack_from(content, end)[0]:
        raise ValueError(f"wrong checksum at record {number}")
    return block
