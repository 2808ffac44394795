"""TFDS split syntax (`train`, `train[:10%]`, `train+test`) to ranges of whole splits."""

import re
from pathlib import Path

from cnn_ablation.data.prepared import Prepared
from cnn_ablation.errors import InputError

Range = tuple[str, int, int]


def is_plain(spec: str) -> bool:
    """Whether a spec is a name, so that arrays kept under it are what it selects."""
    return re.fullmatch(r"\w+", spec) is not None


def resolve(spec: str, prepared: Prepared, *, flag: str) -> list[Range]:
    """Translates a spec with TFDS's own parser.

    Args:
        spec: TFDS split syntax.
        prepared: the dataset that it selects from.
        flag: the flag that gave the spec, for the message.

    Returns:
        (split, start, stop) of each piece, in order.

    Raises:
        InputError: the spec is not understood, or selects no image.
    """
    starts = _starts(prepared)
    try:
        pieces = [
            (*starts[Path(str(piece.filename)).name], piece.skip, piece.take)
            for piece in prepared.split_infos[spec].file_instructions
        ]
    except (ValueError, KeyError, AssertionError, TypeError, IndexError):
        raise _refused(spec, prepared, flag, "must name splits in TFDS's syntax") from None
    ranges = [
        (split, start + skip, start + skip + take) for split, start, skip, take in pieces if take
    ]
    if not ranges:
        raise _refused(spec, prepared, flag, "selects no image")
    return ranges


def _starts(prepared: Prepared) -> dict[str, tuple[str, int]]:
    """Where each record file begins in its split."""
    starts = {}
    for split, shards in prepared.splits.items():
        position = 0
        for shard in shards:
            starts[shard.path.name] = (split, position)
            position += shard.num_examples
    return starts


def _refused(spec: str, prepared: Prepared, flag: str, why: str) -> InputError:
    sizes = ", ".join(
        f"{name} ({sum(shard.num_examples for shard in shards)} images)"
        for name, shards in prepared.splits.items()
    )
    return InputError(f"--{flag}={spec}: {why}, such as train[:10%]; there are {sizes}")
