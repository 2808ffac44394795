"""A user's own choices in worker processes: the files that define them are run there too.

A study file may register an activation, a norm, a pool, an optimizer or a dataset. Workers train
from the source text as it was when the study began, whatever has become of the file since.
"""

import dataclasses
import hashlib
import inspect
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnn_ablation.data.registered import DATASETS
from cnn_ablation.errors import InputError
from cnn_ablation.options import Registry

_PREFIX = "cnn_ablation_extension_"


class ExtensionLoaded(BaseException):
    """Ends a study file that is only run for what it registers, where it would start its study."""


@dataclasses.dataclass(frozen=True)
class Extension:
    """A file that registers choices.

    Attributes:
        path: where it lies.
        source: its text.
    """

    path: str
    source: str


_state = {"loading": False}


def is_loading() -> bool:
    """Whether a file is being run for what it registers alone."""
    return _state["loading"]


def extensions() -> tuple[Extension, ...]:
    """The files that registered choices in this process; arrays of datasets need none.

    Raises:
        InputError: a choice was defined in no file, in a notebook say: only this process has it.
    """
    files: dict[str, None] = {}
    for registry, name in _users():
        path = _file_of(registry, name)
        if path is None and registry is DATASETS:
            continue
        if path is None:
            raise InputError(
                f"{registry.sort} {name} is defined in no file: train with --executor=inline, or "
                "define it in a file"
            )
        files[str(path)] = None
    return tuple(Extension(path, Path(path).read_text(encoding="utf-8")) for path in files)


def are_in_files() -> bool:
    """Whether every choice that a user registered can be had in another process."""
    return all(
        registry is DATASETS or _file_of(registry, name) is not None for registry, name in _users()
    )


def digests() -> dict[str, str]:
    """A digest of the source of each choice that a user registered, by `sort name`."""
    found = {}
    for registry, name in _users():
        try:
            source = inspect.getsource(inspect.unwrap(registry[name]))
        except (OSError, TypeError):
            continue
        found[f"{registry.sort} {name}"] = hashlib.sha256(source.encode()).hexdigest()[:16]
    return found


def load(extension: Extension) -> None:
    """Runs a file for what it registers; a study that it would start is left alone.

    Raises:
        Exception: whatever the file raises.
    """
    path = Path(extension.path)
    module = types.ModuleType(_PREFIX + path.stem)
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    _state["loading"] = True
    try:
        exec(compile(extension.source, str(path), "exec"), module.__dict__)
    except ExtensionLoaded:
        pass
    finally:
        _state["loading"] = False


def _users() -> Iterator[tuple[Registry[Any], str]]:
    for registry in Registry.all:
        for name in registry.users():
            yield registry, name


def _file_of(registry: Registry[Any], name: str) -> Path | None:
    path = Path(registry.origin(name))
    return path if path.is_file() else None
