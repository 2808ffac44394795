"""TFRecord files without TensorFlow: what TFDS writes where TensorFlow is installed.

A record is its length (uint64), the length's checksum, its bytes, and their checksum, all
little-endian; checksums are masked CRC-32C. Source: TensorFlow, "TFRecord and tf.train.Example",
section "TFRecords format details".
"""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, with its bits reversed.
_MASK_DELTA = 0xA282EAD8
_BATCH_BYTES = 1 << 26


def read_tfrecord(path: Path) -> list[bytes]:
    """Reads every record of a file, each checked against its checksum.

    Raises:
        ValueError: the file is damaged.
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    lengths, records = [], []
    length_sums, record_sums = [], []
    position = 0
    while position < len(content):
        header = content[position : position + 12]
        if len(header) < 12:
            raise ValueError(f"cut off at byte {len(content)}")
        length, length_sum = struct.unpack("<QI", header)
        end = position + 12 + length
        if end + 4 > len(content):
            raise ValueError(f"cut off, or a wrong length at byte {position}")
        lengths.append(header[:8])
        length_sums.append(length_sum)
        records.append(content[position + 12 : end])
        record_sums.append(struct.unpack_from("<I", content, end)[0])
        position = end + 4
    _require(lengths, length_sums)
    _require(records, record_sums)
    return records


def masked_crc32c(blocks: Sequence[bytes]) -> np.ndarray:
    """TFRecord's checksum of each block: uint32, computed for all blocks at a time."""
    lengths_N = np.array([len(block) for block in blocks])
    order_N = np.argsort(-lengths_N, kind="stable")
    longest = lengths_N[order_N[0]] if len(blocks) else 0
    bytes_LN = np.zeros((longest, len(blocks)), np.uint8)
    for column, index in enumerate(order_N):
        bytes_LN[: lengths_N[index], column] = np.frombuffer(blocks[index], np.uint8)
    # With the longest first, those that still have a byte at a position are the first ones.
    active_L = np.searchsorted(-lengths_N[order_N], -np.arange(longest), side="left")
    crc_N = np.full(len(blocks), 0xFFFFFFFF, np.uint32)
    for row_N, active in zip(bytes_LN, active_L, strict=True):
        crc = crc_N[:active]
        crc_N[:active] = _TABLE[(crc ^ row_N[:active]) & 0xFF] ^ (crc >> 8)
    crc_N = ~crc_N
    masked_N = np.empty_like(crc_N)
    masked_N[order_N] = ((crc_N >> 15) | (crc_N << 17)) + np.uint32(_MASK_DELTA)
    return masked_N


def _require(blocks: Sequence[bytes], expected: Sequence[int]) -> None:
    longest = max(map(len, blocks), default=0)
    step = _BATCH_BYTES // (longest + 1) + 1
    for start in range(0, len(blocks), step):
        found_N = masked_crc32c(blocks[start : start + step])
        wrong_N = np.flatnonzero(found_N != np.array(expected[start : start + step], np.uint32))
        if len(wrong_N):
            raise ValueError(f"wrong checksum at record {start + wrong_N[0]}")


def _table() -> np.ndarray:
    """CRC-32C of each byte."""
    crc = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        crc = np.where(crc & 1, (crc >> 1) ^ np.uint32(_POLYNOMIAL), crc >> 1)
    return crc.astype(np.uint32)


_TABLE = _table()
