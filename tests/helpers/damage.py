"""Ways in which a stored file can be damaged, as hypothesis draws them."""

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

ODD_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 7, 0.5, -0.5, 1e308, 2**31, 2**63, 10**30, 10**400),
    *("", "0", "\0", "\ud800", "\u202e", "é\n", "x" * 5000, "unbalanced '", "completed", "mnist"),
    *([], [[]], [1, "a"], [None] * 3, {}, {"a": {}}, [[[[[[1]]]]]]),
]
# Text that JSON or Python can choke on where a value is expected.
ODD_JSON = [
    *(b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"[" * 100_000, b'{"a":' * 5000, b"", b"tru"),
    *(b'"\xff"', b'"\xed\xa0\x80"', b'"\x00"', b'{"a": 1, "a": 2}', b"\xef\xbb\xbf{}"),
]
Damage = tuple[str, bytes]


@st.composite
def damaged_bytes(draw: st.DrawFn, content: bytes) -> Damage:
    """The kind of damage, and a file's bytes after it: what disks, copies and editors do."""
    start = draw(st.integers(0, max(len(content) - 1, 0)))
    length = draw(st.integers(1, 64))
    before, after = content[:start], content[start:]
    lines = content.splitlines(keepends=True)
    number = draw(st.integers(0, max(len(lines) - 1, 0)))
    ways: dict[str, Callable[[], bytes]] = {
        "a bit flipped": lambda: (
            before + bytes([after[0] ^ 1 << draw(st.integers(0, 7))]) + after[1:]
        ),
        "a byte altered": lambda: before + draw(st.binary(min_size=1, max_size=1)) + after[1:],
        "cut off": lambda: before,
        "a part missing": lambda: before + after[length:],
        "a part zeroed": lambda: before + bytes(min(length, len(after))) + after[length:],
        "bytes inserted": lambda: before + draw(st.binary(min_size=1, max_size=8)) + after,
        "a digit altered": lambda: _digit(content, start, draw(st.integers(0, 9))),
        "a value no JSON": lambda: _value(content, start, draw(st.sampled_from(ODD_JSON))),
        "a line lost": lambda: b"".join(lines[:number] + lines[number + 1 :]),
        "a line twice": lambda: b"".join(lines[: number + 1] + lines[number:]),
        "another file": lambda: draw(st.binary(max_size=200)),
        "empty": lambda: b"",
    }
    kind = draw(st.sampled_from(list(ways)))
    return kind, ways[kind]()


@st.composite
def twisted(draw: st.DrawFn, document: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The kind of damage, and a JSON object with a value of a wrong kind or range somewhere."""
    found = copy.deepcopy(document)
    owner: Any = found
    while True:
        keys = list(owner) if isinstance(owner, dict) else list(range(len(owner)))
        key = draw(st.sampled_from(keys))
        inner = owner[key]
        if not (isinstance(inner, (dict, list)) and inner) or draw(st.integers(0, 3)) == 0:
            break
        owner = inner
    kind = draw(st.sampled_from(["a value", "a key missing", "a key unknown", "a value"]))
    if kind == "a key missing":
        del owner[key]
    elif kind == "a key unknown" and isinstance(owner, dict):
        owner[draw(st.text(max_size=5))] = owner.pop(key)
    else:
        owner[key] = draw(st.sampled_from(ODD_VALUES))
    return kind, found


def as_line(document: dict[str, Any]) -> bytes:
    """A JSON object as a line, whatever is in it."""
    return json.dumps(document).encode() + b"\n"


def _digit(content: bytes, start: int, digit: int) -> bytes:
    """The content with its next digit replaced."""
    for at in (*range(start, len(content)), *range(start)):
        if chr(content[at]).isdigit():
            return content[:at] + str(digit).encode() + content[at + 1 :]
    return content


def _value(content: bytes, start: int, value: bytes) -> bytes:
    """The content with the value behind its next colon replaced."""
    colon = content.find(b": ", start)
    end = min((at for mark in b",}]" if (at := content.find(mark, colon + 2)) >= 0), default=-1)
    if colon < 0 or end < 0:
        return content + value
    return content[: colon + 2] + value + content[end:]
