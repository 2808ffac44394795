"""A field that declares itself: once, for validation, flags, help, JSON, tables and labels."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, Literal

from cnn_ablation.errors import FieldError
from cnn_ablation.options.kinds import Kind, kind_of

PER_BLOCK = "one value for all blocks, or one per block separated by commas"
Shape = Literal["one", "per_block", "several"]
_KEY = "option"


class _FirstVersion:
    """Stands for: there is no stored spec without this field."""

    def __repr__(self) -> str:
        return "FIRST_VERSION"


FIRST_VERSION: Any = _FirstVersion()


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers that are allowed, from `least` or above `above`; None is no bound."""

    least: float | None = None
    above: float | None = None
    below: float | None = None
    most: float | None = None

    def holds(self, value: Any) -> bool:
        """Whether a number lies in the range."""
        return (
            (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and (self.most is None or value <= self.most)
        )

    def words(self, kind: Kind) -> str:
        """What is allowed, after `must be`: `a whole number of 1 or more`."""
        upper = f"to below {self.below:g}" if self.below is not None else ""
        upper = f"to {self.most:g}" if self.most is not None else upper
        if self.above is not None:
            return f"{kind.words} above {self.above:g} {upper}".rstrip()
        if self.least is None:
            return f"{kind.words} {upper}".rstrip()
        return (
            f"{kind.words} from {self.least:g} {upper}"
            if upper
            else (f"{kind.words} of {self.least:g} or more")
        )


@dataclasses.dataclass(frozen=True)
class Option:
    """All that a field says of itself but its name and default.

    Attributes:
        kind: what its values are, and how their text is read.
        help: what it means, with its unit, for `--help`.
        shape: `one` value; `per_block`, one for all blocks or one per block; `several`, a tuple of
            any length.
        allowed: the range of its numbers.
        choices: the texts allowed, or None; a registry may grow.
        absent: the value that a stored spec stands for which lacks the field. A field at this
            value is left out of JSON and hashes, so that specs from before it stay what they were.
        optional: whether None is allowed too.
        flag: whether users set it by a flag of its name.
        may_be_none: whether a field of several values may have no value, written `none`.
    """

    kind: Kind
    help: str
    shape: Shape = "one"
    allowed: Range = Range()
    choices: Collection[str] | None = None
    absent: Any = FIRST_VERSION
    optional: bool = False
    flag: bool = True
    may_be_none: bool = False

    @property
    def words(self) -> str:
        """What is allowed, after `must be`."""
        if self.choices is None:
            return self.allowed.words(self.kind)
        *others, last = map(str, self.choices)
        return f"{', '.join(others)} or {last}" if others else last

    @property
    def full_help(self) -> str:
        """The help with what the field's shape adds to it."""
        return f"{self.help}; {PER_BLOCK}" if self.shape == "per_block" else self.help

    def accepts(self, value: Any) -> bool:
        """Whether a single value is allowed."""
        if value is None:
            return self.optional
        if not self.kind.accepts(value):
            return False
        return self.allowed.holds(value) if self.choices is None else value in self.choices

    def read(self, text: str) -> Any:
        """A flag's text as a value: a tuple of several, or one for all blocks.

        Raises:
            ValueError: the text is not of the field's kind; the message says what must be.
        """
        if self.may_be_none and text.strip() == "none":
            return ()
        parts = text.split(",") if self.shape != "one" else [text]
        values = tuple(map(self._read_one, parts))
        return values if self.shape == "several" or len(values) > 1 else values[0]

    def _read_one(self, text: str) -> Any:
        try:
            return self.kind.read(text.strip())
        except ValueError:
            raise ValueError(f"must be {self.kind.words}") from None

    def typed(self, value: Any) -> str:
        """A value as it is typed behind `--flag=`; one that all blocks share is typed once."""
        if value == () and self.may_be_none:
            return "none"
        if not isinstance(value, tuple):
            return str(value).lower() if isinstance(value, bool) else str(value)
        alike = self.shape == "per_block" and len(set(value)) == 1
        return ",".join(map(self.typed, value[:1] if alike else value))

    def checked(self, name: str, value: Any) -> Any:
        """A value, or a tuple of them, in the form in which it is kept.

        Raises:
            FieldError: it is not allowed.
        """
        several = isinstance(value, (tuple, list)) and self.shape != "one"
        values = tuple(value) if several else (value,)
        if any(type(one) is int and not -(2**63) <= one < 2**63 for one in values):
            raise FieldError(name, value, f"must be {self.words}, and fit into 64 bits")
        if not (values or self.may_be_none) or not all(map(self.accepts, values)):
            shown = values[0] if len(values) == 1 else value
            raise FieldError(name, shown, f"must be {self.words}")
        kept = tuple(v if v is None else self.kind.normalize(v) for v in values)
        return kept if several else kept[0]

    def is_absent(self, value: Any) -> bool:
        """Whether a value is the one that stands for the field's absence."""
        if isinstance(value, tuple) and self.shape == "per_block":
            return all(one == self.absent for one in value)
        return bool(value == self.absent)


def option(
    default: Any,
    help_text: str,
    *,
    kind: Kind | None = None,
    shape: Shape = "one",
    least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    most: float | None = None,
    choices: Collection[str] | None = None,
    absent: Any = FIRST_VERSION,
    optional: bool = False,
    flag: bool = True,
    may_be_none: bool = False,
) -> Any:
    """Declares a dataclass field; see `Option` for what the arguments mean.

    Args:
        default: its default value, which also tells its kind where `kind` is None.
        help_text: what it means, with its unit.
        kind: what its values are.
        shape: one value, one or one per block, or several.
        least: smallest number allowed.
        above: numbers must lie above this one.
        below: numbers must lie below this one.
        most: largest number allowed.
        choices: the texts allowed.
        absent: what a stored spec stands for that lacks the field.
        optional: whether None is allowed too.
        flag: whether there is a flag of its name.
        may_be_none: whether several values may be none at all.
    """
    example = default[0] if isinstance(default, tuple) and default else default
    declaration = Option(
        kind=kind or kind_of(example),
        help=help_text,
        shape=shape,
        allowed=Range(least, above, below, most),
        choices=choices,
        absent=absent,
        optional=optional,
        flag=flag,
        may_be_none=may_be_none,
    )
    return dataclasses.field(default=default, metadata={_KEY: declaration})


def declared(of: Any) -> dict[str, Option]:
    """The options of a dataclass or of an instance of one, by name, in their order."""
    return {
        field.name: field.metadata[_KEY]
        for field in dataclasses.fields(of)
        if _KEY in field.metadata
    }


def defaults(of: type) -> dict[str, Any]:
    """The default values of a dataclass's options, by name."""
    names = declared(of)
    return {field.name: field.default for field in dataclasses.fields(of) if field.name in names}


def validate(instance: Any) -> None:
    """Checks every option of a frozen dataclass, from its `__post_init__`, and keeps normal forms.

    Raises:
        FieldError: a value is not allowed.
    """
    for name, its in declared(instance).items():
        object.__setattr__(instance, name, its.checked(name, getattr(instance, name)))


def to_json(values: Mapping[str, Any], options: Mapping[str, Option]) -> dict[str, Any]:
    """Values as JSON values; a field at the value that stands for its absence is left out."""
    kept = {name: v for name, v in values.items() if not options[name].is_absent(v)}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in kept.items()}
