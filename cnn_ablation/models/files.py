"""Models in safetensors files: arrays by layer, and as text the spec and all else that is needed.

Nothing in such a file is executed. The arrays' SHA-256 and that of the text stand in it, so that a
damaged file is refused.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from cnn_ablation.data import Dataset
from cnn_ablation.design import TrialSpec, require_seed
from cnn_ablation.errors import InputError
from cnn_ablation.models.model import Model
from cnn_ablation.models.names import ENDING
from cnn_ablation.network import model as network
from cnn_ablation.system.files import unwritable, write_bytes
from cnn_ablation.system.stored import get, parse_object, seal, unseal
from cnn_ablation.training.drawing import initial_input_stats
from cnn_ablation.training.state import TrainConfig
from cnn_ablation.training.trainer import TrainedTrial
from cnn_ablation.version import __version__

FORMAT = 1
_KEY = "cnn_ablation"
_SEPARATOR = "/"
Arrays = dict[str, np.ndarray]


def save(
    path: str | os.PathLike[str], model: Model | TrainedTrial, dataset: Dataset | None = None
) -> Path:
    """Writes a model, whole or not at all.

    Args:
        path: the file; `.safetensors` is added where it has another ending.
        model: a model, or a finished training.
        dataset: of a training, what it was trained on, for the names of its classes.

    Returns:
        The file's path.

    Raises:
        InputError: the file cannot be written.
    """
    if isinstance(model, TrainedTrial):
        model = Model.of(model, dataset)
    path = Path(path)
    path = path if path.suffix == ENDING else path.with_name(path.name + ENDING)
    arrays = _flat(model.variables)
    about = {
        "format": FORMAT,
        "version": __version__,
        "spec": model.spec.to_json(),
        "seed": model.seed,
        "class_names": list(model.class_names),
        "image_shape": list(model.image_shape),
        "dataset": dict(model.dataset),
        "sha256": _digest(arrays),
    }
    try:
        write_bytes(path, to_bytes(arrays, metadata={_KEY: json.dumps(seal(about))}))
    except OSError as error:
        raise unwritable(path, error) from None
    return path


def load(path: str | os.PathLike[str]) -> Model:
    """Reads a model; nothing in the file is executed.

    Raises:
        InputError: the file cannot be read, is damaged, or is no model of this package.
    """
    text, arrays = _read(Path(path))
    if text is None:
        raise InputError(
            f"{path}: is a safetensors file, but no model of cnn_ablation; these are written by "
            "--save_params and cnn.save"
        )
    try:
        return _model(unseal(parse_object(text.encode()), ()), arrays)
    except InputError as error:
        raise InputError(f"{path}: is damaged or of another version ({error})") from None


def _read(path: Path) -> tuple[str | None, Arrays]:
    """The text that says what a file is, if it is there, and the arrays."""
    if not path.is_file():
        raise InputError(f"{path}: must be a model's file that exists")
    try:
        with safe_open(path, framework="np") as file:
            about: Mapping[str, str] = file.metadata() or {}
            return about.get(_KEY), _arrays(file)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (SafetensorError, ValueError, TypeError, OverflowError, MemoryError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: is damaged, or no safetensors file ({why})") from None


def _arrays(file: Any) -> Arrays:
    names: list[str] = file.keys()
    return {name: file.get_tensor(name) for name in names}


def _model(about: Mapping[str, Any], arrays: Arrays) -> Model:
    number = get(about, "format", int)
    if number != FORMAT:
        raise InputError(f"format {number}: must be {FORMAT}")
    if get(about, "sha256", str) != _digest(arrays):
        raise InputError("its arrays are not those that were written")
    spec = TrialSpec.from_json(get(about, "spec", dict))
    names, seed = get(about, "class_names", list), get(about, "seed", int)
    require_seed(seed)
    if len(names) != spec.network.classes or not all(isinstance(one, str) for one in names):
        raise InputError(f"class_names: must be {spec.network.classes} texts")
    variables = _nested(arrays)
    _require_shapes(spec, variables)
    return Model(spec, variables, seed, tuple(names), get(about, "dataset", dict))


def _require_shapes(spec: TrialSpec, variables: Mapping[str, Any]) -> None:
    """Holds arrays against those that the spec's network has."""
    expected: Any = jax.eval_shape(lambda key: network.init(spec.network, key), jax.random.key(0))
    stats = initial_input_stats(TrainConfig(spec.network, spec.training, "xla", data=spec.data))
    if stats is not None:
        expected = {**expected, network.INPUT_STATS: stats}
    wanted = {name: (tuple(leaf.shape), "float32") for name, leaf in _leaves(expected)}
    found = {name: (leaf.shape, str(leaf.dtype)) for name, leaf in _leaves(variables)}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise InputError(f"{name} is {found.get(name)}, the spec's is {wanted.get(name)}")
    for name, leaf in _leaves(variables):
        if not bool(jnp.all(jnp.isfinite(leaf))):
            raise InputError(f"{name} holds numbers that are not finite")


def _leaves(variables: Any, path: str = "") -> list[tuple[str, Any]]:
    if not isinstance(variables, Mapping):
        return [(path, variables)]
    head = f"{path}{_SEPARATOR}" if path else ""
    return [leaf for key in sorted(variables) for leaf in _leaves(variables[key], f"{head}{key}")]


def _flat(variables: Mapping[str, Any]) -> Arrays:
    return {name: np.ascontiguousarray(leaf, np.float32) for name, leaf in _leaves(variables)}


def _nested(arrays: Arrays) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, array in arrays.items():
        *path, last = name.split(_SEPARATOR)
        place = found
        for key in path:
            place = place.setdefault(key, {})
        place[last] = array
    return found


def _digest(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}\0{array.dtype.str}{array.shape}\0".encode())
        digest.update(array.reshape(-1).data)
    return digest.hexdigest()
