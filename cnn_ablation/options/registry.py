"""Named choices that may grow: those of the package, and a user's own."""

import difflib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar, Generic, TypeVar

from cnn_ablation.errors import InputError

T = TypeVar("T")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PACKAGE = __name__.partition(".")[0]


class Registry(Mapping[str, T], Generic[T]):
    """Choices of one sort by name, such as the activations.

    Attributes:
        sort: what a choice is, as messages name it: `activation`.
    """

    all: ClassVar["list[Registry[Any]]"] = []

    def __init__(self, sort: str) -> None:
        """Makes an empty registry; `Registry.all` lists it."""
        self.sort = sort
        self._choices: dict[str, T] = {}
        self._origins: dict[str, str] = {}
        Registry.all.append(self)

    def __getitem__(self, name: str) -> T:
        return self._choices[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._choices)

    def __len__(self) -> int:
        return len(self._choices)

    def find(self, name: str) -> T:
        """The choice of a name.

        Raises:
            InputError: there is none; the message lists those that there are.
        """
        if name not in self._choices:
            raise InputError(f"{self.sort}={name}: must be {', '.join(self)}{nearest(name, self)}")
        return self._choices[name]

    def register(self, name: str) -> Callable[[T], T]:
        """A decorator that adds a choice.

        Raises:
            InputError: the name is no lower-case identifier, or is that of a choice of the package.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{self.sort} {name!r}: a name is lower-case letters, digits and underscores"
            )
        taken = self._choices.get(name)
        if taken is not None and not is_users(taken):
            raise InputError(f"{self.sort} {name!r}: is there already; choose another name")

        def decorate(choice: T) -> T:
            self.add(name, choice)
            return choice

        return decorate

    def add(self, name: str, choice: T) -> None:
        """Adds a choice, or replaces it, whatever its name."""
        self._choices[name] = choice
        if is_users(choice):
            self._origins[name] = _registering_file()

    def users(self) -> dict[str, T]:
        """The choices that were not registered by this package."""
        return {name: choice for name, choice in self._choices.items() if is_users(choice)}

    def origin(self, name: str) -> str:
        """The file that registered a user's choice; it is not there where there was none."""
        return self._origins[name]

    def unregister(self, name: str) -> None:
        """Takes a user's choice away, for tests and notebooks."""
        if name in self.users():
            del self._choices[name], self._origins[name]


def is_users(choice: Any) -> bool:
    """Whether a choice was defined outside of this package."""
    module = getattr(inspect.unwrap(choice), "__module__", None) if callable(choice) else None
    return (module or "").partition(".")[0] != _PACKAGE


def _registering_file() -> str:
    """The file whose code registers a choice, which may be another's: a function of JAX, say."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _module_of(frame) == _PACKAGE:
        frame = frame.f_back
    return str(Path(frame.f_code.co_filename).resolve())


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def nearest(name: str, names: Any) -> str:
    """A question after the most similar name, or nothing: `; did you mean relu?`."""
    found = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {found[0]}?" if found else ""
