"""Names given in a list flag, looked up among those that there are."""

from collections.abc import Mapping
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
