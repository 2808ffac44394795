"""What the three parts of a trial's spec have in common."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from cnn_ablation.errors import FieldError, InputError
from cnn_ablation.options import FIRST_VERSION, Option, declared
from cnn_ablation.options.fields import to_json
from cnn_ablation.options.registry import nearest
from cnn_ablation.version import __version__


def _plain(value: Any) -> Any:
    """A value whose tuple, if it is one, is of no other class."""
    return tuple(value) if isinstance(value, tuple) else value


class Part:
    """A frozen dataclass whose fields are made by `option`.

    Attributes:
        part: its name in a trial's spec: `network`, `training` or `data`.
    """

    part: ClassVar[str]

    def __reduce__(self) -> Any:
        # As JSON: what another process unpickles may hold entries that only a name stands for.
        return type(self).from_json, (self.to_json(),)

    def __repr__(self) -> str:
        # What is not as usual, in the form in which it is typed.
        usual, options = type(self)().values(), self.options()
        shown = []
        for name, value in self.values().items():
            if name not in usual or usual[name] != value:
                per_block = options[name].shape == "per_block" and name != "features"
                alike = per_block and len(set(value)) == 1
                shown.append(f"{name}={(value[0] if alike else _plain(value))!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def options(self) -> dict[str, Option]:
        """The fields by name, in the order in which people read them."""
        return declared(self)

    def values(self) -> dict[str, Any]:
        """The fields' values by name, in the same order."""
        return {name: getattr(self, name) for name in self.options()}

    @classmethod
    def every_option(cls) -> dict[str, Option]:
        """All fields that such a part can have, whatever the others say."""
        return declared(cls)

    def replace(self, **changes: Any) -> Self:
        """The same with other values in some fields.

        Raises:
            InputError: there is no such field, or a value is not allowed.
        """
        self._require_known(changes)
        values: dict[str, Any] = {**self.values(), **changes}
        return type(self)(**values)

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values, without those at the value that stands for their absence."""
        return to_json(self.values(), self.options())

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Reads what `to_json` of this or an older version wrote.

        Raises:
            InputError: a field is missing or unknown, or a value is not allowed.
        """
        if not isinstance(document, Mapping):
            raise InputError(f"{cls.part}: must be a JSON object")
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in document.items()}
        spec = cls.decode(values)
        unknown = sorted(set(document) - set(spec.options()))
        if unknown:
            raise InputError(
                f"{cls.part} has the fields {', '.join(unknown)}, which version {__version__} does "
                "not know: it was written by a newer version"
            )
        missing = sorted(
            name
            for name, its in spec.options().items()
            if its.absent is FIRST_VERSION and name not in document
        )
        if missing:
            raise InputError(f"{cls.part} lacks the fields {', '.join(missing)}")
        return spec

    @classmethod
    def decode(cls, values: Mapping[str, Any]) -> Self:
        """A part from stored values; fields that it does not know are passed over."""
        known = cls.every_option()
        kept = {name: value for name, value in values.items() if name in known}
        return cls(**cls.absent_values() | kept)

    @classmethod
    def absent_values(cls) -> dict[str, Any]:
        """What a stored part stands for in each field of its own that came later."""
        own = declared(cls).items()
        return {name: its.absent for name, its in own if its.absent is not FIRST_VERSION}

    @classmethod
    def _require_known(cls, names: Mapping[str, Any]) -> None:
        known = cls.every_option()
        for name, value in names.items():
            if name not in known:
                raise FieldError(
                    name,
                    value,
                    f"not a field of the {cls.part}{nearest(name, known)}; allowed: "
                    f"{', '.join(sorted(known))}",
                )
