"""Names given in a list flag, looked up among those that there are."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from cnn_ablation.errors import InputError

T = TypeVar("T")


def chosen(flag: str, name: str, choices: Mapping[str, T]) -> T:
    """What a name stands for.

    Raises:
        InputError: there is no such choice; the message names the flag and all there are.
    """
    if name not in choices:
        raise InputError(f"--{flag}={name}: must be among {', '.join(choices)}")
    return choices[name]


def required(flag: str, names: Sequence[str]) -> Sequence[str]:
    """The names of a list flag, of which there must be one at least.

    Raises:
        InputError: there is none.
    """
    if not names:
        raise InputError(f"--{flag}=: must be one name or more, separated by commas")
    return names
