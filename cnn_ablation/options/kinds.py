"""The kinds of values that a field can take: how their text is read, and their type in tables."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Literal

Column = Literal["int64", "float64", "bool", "string"]


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of value.

    Attributes:
        words: the kind with its article, as messages name it: `a whole number`.
        read: text to value; raises ValueError where the text is none.
        accepts: whether a Python value is of the kind.
        normalize: an accepted value to the one that is kept.
        column: type of a table's column of such values, in Arrow's names.
    """

    words: str
    read: Callable[[str], Any]
    accepts: Callable[[Any], bool]
    normalize: Callable[[Any], Any]
    column: Column


def _read_yes_no(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _is_real(value: Any) -> bool:
    return type(value) in (int, float) and (type(value) is int or math.isfinite(value))


def _to_float(value: Any) -> float:
    return float(value)


def _same(value: Any) -> Any:
    return value


WHOLE = Kind("a whole number", int, lambda value: type(value) is int, _same, "int64")
NUMBER = Kind("a number", float, _is_real, _to_float, "float64")
TEXT = Kind("a text", str, lambda value: isinstance(value, str), _same, "string")
YES_NO = Kind("true or false", _read_yes_no, lambda value: type(value) is bool, _same, "bool")


def kind_of(value: Any) -> Kind:
    """The kind of a default value.

    Raises:
        TypeError: no kind is declared by such a value; the field must name its kind.
    """
    for kind in (YES_NO, WHOLE, TEXT, NUMBER):
        if kind.accepts(value):
            return kind
    raise TypeError(f"{value!r}: declares no kind; name one of WHOLE, NUMBER, TEXT, YES_NO")
