"""The IDX format of the MNIST archives: gzipped, big-endian, one header and then plain bytes.

Source: Yann LeCun, Corinna Cortes and Christopher Burges, "The MNIST database of handwritten
digits", section "File formats".
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from cnn_ablation.errors import InputError

_UNSIGNED_BYTE = 0x08


def read_images(path: Path) -> np.ndarray:
    """Reads gray images: uint8, (examples, height, width, 1).

    Raises:
        InputError: the archive is damaged or holds something else.
    """
    return _read(path, dimensions=3)[..., np.newaxis]


def read_labels(path: Path) -> np.ndarray:
    """Reads class numbers: int32, (examples,).

    Raises:
        InputError: the archive is damaged or holds something else.
    """
    return _read(path, dimensions=1).astype(np.int32)


def _read(path: Path, dimensions: int) -> np.ndarray:
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip archive ({error})") from None
    header = 4 + 4 * dimensions
    magic = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    if len(content) < header or content[:4] != magic:
        raise InputError(
            f"{path}: starts with {content[:4].hex()}, an IDX file of unsigned bytes"
            f" in {dimensions} dimensions starts with {magic.hex()}"
        )
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) - header != math.prod(shape):
        raise InputError(
            f"{path}: holds {len(content) - header} values, its header announces"
            f" {'x'.join(map(str, shape))}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
