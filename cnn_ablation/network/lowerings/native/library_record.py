"""What is written beside a compiled library, so that no other file is loaded in its place."""

import hashlib
from pathlib import Path

from cnn_ablation.errors import InputError
from cnn_ablation.system.caches import require_private
from cnn_ablation.system.files import write_json
from cnn_ablation.system.stored import get, parse_object, seal, unseal

_KEYS = ("sha256", "size")


def write_record(library: Path) -> None:
    """Writes a library's digest; it has to be whole by then.

    Raises:
        OSError: the folder cannot be written.
    """
    write_json(_path(library), seal(_describe(library)))


def misfit(library: Path) -> str | None:
    """Why a library is not to be loaded; None where it is what its record says.

    Raises:
        InputError: another user owns the library or may write to it.
        OSError: it cannot be read.
    """
    require_private(library)
    try:
        require_private(_path(library))
        record = unseal(parse_object(_path(library).read_bytes()), ())
        expected = {"sha256": get(record, "sha256", str), "size": get(record, "size", int)}
    except FileNotFoundError:
        return "it has no record"
    except InputError as error:
        return f"its record is damaged ({error})"
    return None if _describe(library) == expected else "its content is not that of its record"


def _describe(library: Path) -> dict[str, str | int]:
    content = library.read_bytes()
    return dict(zip(_KEYS, (hashlib.sha256(content).hexdigest(), len(content)), strict=True))


def _path(library: Path) -> Path:
    return library.with_suffix(".json")
