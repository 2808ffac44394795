"""Datasets of a user's own, by name: functions that make them, registered in a file of the user's.

    @register_dataset("squares")
    def squares() -> Dataset:
        return Dataset.from_arrays("squares", train=(images, labels), test=(others, their_labels))

From then on `--dataset=squares` and `load_dataset("squares")` find it in that process.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cnn_ablation.data import splits
from cnn_ablation.data.dataset import Dataset, LabeledImages
from cnn_ablation.data.sources import SOURCES
from cnn_ablation.errors import InputError
from cnn_ablation.options import Registry

_Function = TypeVar("_Function", bound=Callable[[], Dataset])
DATASETS: Registry[Callable[[], Dataset]] = Registry("dataset")
_made: dict[str, Dataset] = {}
_given: dict[str, Dataset] = {}


def register_dataset(name: str) -> Callable[[_Function], _Function]:
    """Makes a decorator that registers a function without arguments as the maker of a dataset.

    The function is called when the dataset is first used, once in a process.

    Args:
        name: what to call the dataset: letters, digits and underscores.

    Raises:
        InputError: the name is not allowed, or another dataset has it.
    """
    if not isinstance(name, str) or not re.fullmatch(r"\w+", name):
        raise InputError(f"dataset {name}: must be named with letters, digits and underscores")
    if name in SOURCES:
        raise InputError(f"dataset {name}: is one of TFDS; register yours under another name")

    def register(function: _Function) -> _Function:
        earlier = DATASETS.get(name)
        # A notebook's cell, or a file that is both run and imported, registers the same again.
        if earlier is not None and _name(earlier) != _name(function):
            raise InputError(f"dataset {name}: is registered already, by {_place(earlier)}")
        DATASETS.add(name, function)
        _made.pop(name, None)
        _given.pop(name, None)
        return function

    return register


def use_dataset(dataset: Dataset) -> str:
    """Makes a dataset of arrays known by its name in this process, to specs and flags.

    In a study it travels to workers, wherever they are, as arrays.

    Args:
        dataset: the dataset; `Dataset.from_arrays` makes one.

    Returns:
        Its name, for `DataSpec(dataset=...)`.

    Raises:
        InputError: the name is not letters, digits and underscores, or is that of another dataset.
    """
    name = dataset.name
    if not re.fullmatch(r"\w+", name):
        raise InputError(f"dataset {name}: must be named with letters, digits and underscores")
    if name in SOURCES or name in DATASETS:
        raise InputError(f"dataset {name}: another dataset has this name; name yours otherwise")
    _made[name] = _given[name] = dataset
    return name


def given_arrays(name: str) -> Dataset | None:
    """A dataset that is known in this process alone, which workers must be given as arrays.

    It was handed over, or registered by a function that is defined in no file.
    """
    if name in _given:
        return _given[name]
    if name in DATASETS and not Path(DATASETS.origin(name)).is_file():
        return make_registered(name)
    return None


def registered_names() -> tuple[str, ...]:
    """The names of all registered datasets."""
    return tuple(DATASETS)


def make_registered(name: str) -> Dataset | None:
    """The whole dataset that is registered under a name; None where there is none.

    Raises:
        InputError: TFDS has a dataset of this name, or the function fails.
    """
    if name in DATASETS and name not in _made:
        _made[name] = _make(name, DATASETS[name])
    return _made.get(name)


def choose_splits(dataset: Dataset, train_split: str, test_split: str) -> Dataset:
    """The same dataset with other images to train and test on, in TFDS split syntax.

    Raises:
        InputError: a split is not understood, or selects no image.
    """
    wholes = {"train": dataset.train, "test": dataset.test}

    def read(spec: str, flag: str) -> LabeledImages:
        if spec in wholes:
            return wholes[spec]
        sizes = {split: len(part.labels_N) for split, part in wholes.items()}
        ranges = splits.resolve(spec, splits.describe_arrays(sizes), flag=flag)
        return splits.select(ranges, wholes.__getitem__)

    return dataclasses.replace(
        dataset,
        train_split=train_split,
        test_split=test_split,
        train=read(train_split, "train_split"),
        test=read(test_split, "test_split"),
    )


def _make(name: str, function: Callable[[], Dataset]) -> Dataset:
    import tensorflow_datasets as tfds

    where = f"--dataset={name}: {_place(function)}"
    if name in tfds.list_builders(with_community_datasets=False):
        raise InputError(f"{where}: TFDS has a dataset of this name; register yours under another")
    try:
        dataset = function()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise InputError(f"{where} failed: {reason}") from error
    if not isinstance(dataset, Dataset):
        raise InputError(
            f"{where} returned {type(dataset).__name__}, must return a Dataset; "
            "Dataset.from_arrays makes one"
        )
    return dataclasses.replace(dataset, name=name)


def _place(function: Callable[[], Dataset]) -> str:
    """Where a function is, for messages."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    place = f" ({code.co_filename}, line {code.co_firstlineno})" if code else ""
    return f"{_name(function)}{place}"


def _name(function: Callable[[], Dataset]) -> str:
    return getattr(function, "__qualname__", repr(function))
