"""Stored JSON: objects that carry a checksum of themselves, and are read without belief in them."""

import hashlib
import json
import math
from collections.abc import Collection, Mapping
from typing import Any, NoReturn, TypeVar

from cnn_ablation.errors import InputError

CHECKSUM = "checksum"
_WORDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a JSON object",
}
_T = TypeVar("_T")


def parse_object(content: bytes) -> dict[str, Any]:
    """Reads one strict JSON object.

    Raises:
        InputError: it is none; the message says why, and does not name the file.
    """
    try:
        found = json.loads(
            content.decode(), parse_constant=_no_number, object_pairs_hook=_no_key_twice
        )
    except RecursionError:
        raise InputError("JSON that is nested too deeply") from None
    except ValueError as error:
        raise InputError(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise InputError("not a JSON object")
    return found


def seal(document: Mapping[str, Any]) -> dict[str, Any]:
    """The object with a checksum of all else in it, as its last key."""
    return {**document, CHECKSUM: _checksum(document)}


def unseal(document: Mapping[str, Any], older_keys: Collection[str]) -> dict[str, Any]:
    """The object without its checksum, which was compared.

    Args:
        document: what was read.
        older_keys: all keys of objects from before there were checksums. One that has another key
            and no checksum has lost it.

    Raises:
        InputError: the checksum is not that of the object, or is missing.
    """
    content = dict(document)
    if CHECKSUM not in content:
        unknown = sorted(content.keys() - set(older_keys))
        if unknown:
            raise InputError(f"it has no {CHECKSUM} and the unknown key {unknown[0]}")
        return content
    given = content.pop(CHECKSUM)
    try:
        expected = _checksum(content)
    except ValueError:
        raise InputError("a number is not finite") from None
    if given != expected:
        raise InputError(f"its {CHECKSUM} is not that of its content")
    return content


def _checksum(document: Mapping[str, Any]) -> str:
    """Of the values, not of their layout: a file that another program has indented is the same."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def get(document: Any, key: str, kind: type[_T]) -> _T:
    """A value of a stored object, which must be of a kind.

    Raises:
        InputError: it is missing or of another kind.
    """
    found = optional(document, key, kind)
    if found is None:
        raise InputError(f"{key}: must be {_WORDS[kind]}")
    return found


def optional(document: Any, key: str, kind: type[_T]) -> _T | None:
    """The same for one that may be missing or null.

    Raises:
        InputError: it is of another kind.
    """
    if not isinstance(document, dict):
        raise InputError(f"what should hold {key} is not a JSON object")
    found = document.get(key)
    if found is not None and type(found) is not kind:
        raise InputError(f"{key}: must be {_WORDS[kind]}")
    return found


def numbers(document: Any, key: str) -> tuple[float, ...]:
    """A list of finite numbers of a stored object.

    Raises:
        InputError: it is something else.
    """
    found = get(document, key, list)
    if not all(type(one) is int or (type(one) is float and math.isfinite(one)) for one in found):
        raise InputError(f"{key}: must be finite numbers")
    return tuple(found)
