"""What the metadata of a prepared folder may name: TFDS's own features, and nothing that runs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cnn_ablation.errors import InputError
from cnn_ablation.system.stored import parse_object

FEATURES, INFO = "features.json", "dataset_info.json"
# TFDS imports the module of any class that is named here, in each of these forms.
_NAMES_CLASS = ("pythonClassName", "python_class_name", "type")
_OWN = re.compile(r"tensorflow_datasets\.core\.features(\.[a-z][a-z0-9_]*)+\.[A-Z]\w*")


def require_harmless(folder: Path) -> None:
    """Looks into a folder's metadata before TFDS does.

    Raises:
        InputError: they are no JSON objects, or name a class that is not one of TFDS's features.
    """
    for name in (FEATURES, INFO):
        path = folder / name
        if not path.is_file():
            continue  # TFDS says what is missing.
        try:
            document = parse_object(path.read_bytes())
        except InputError as error:
            raise InputError(
                f"{folder}: not a whole dataset of TFDS ({name}: {error}); delete it and prepare "
                "it again"
            ) from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from None
        if name == FEATURES:
            _require_own_features(path, document)


def _require_own_features(path: Path, document: dict[str, Any]) -> None:
    for key, value in _named(document):
        if key in _NAMES_CLASS and not (isinstance(value, str) and _OWN.fullmatch(value)):
            raise InputError(
                f"{path}: names the class {str(value)[:200]}, which would be imported; allowed are "
                "TFDS's own features"
            )
        # TFDS asks TensorFlow about those that NumPy does not know.
        if key == "dtype" and not _is_dtype(value):
            raise InputError(f"{path}: dtype {str(value)[:200]}: must be a type of NumPy's")


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    """All keys of a document with a value that is no object and no list, wherever they stand.

    A feature may itself be called `type`; what it is, is an object then and no name.
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(inner, (dict, list)):
                yield key, inner
            yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def _is_dtype(value: Any) -> bool:
    if value in ("string", "bfloat16"):
        return True
    try:
        return isinstance(value, str) and not np.dtype(value).hasobject
    except (TypeError, ValueError, SyntaxError):
        return False
