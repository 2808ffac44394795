"""What a study needs at the very least of this machine's memory, before any of it is asked for."""

import math
import os
from collections.abc import Sequence

from cnn_ablation.design import TrialSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.errors import InputError, as_typed

_FLOAT, _GB = 4, 1e9
# A declared trial and its record, in Python's objects.
_TRIAL_BYTES = 1000


def require_memory(designs: Sequence[TrialSpec], seeds: Sequence[int]) -> None:
    """Refuses what cannot fit: trials, parameters with their gradients, or a batch.

    Args:
        designs: what is trained.
        seeds: how often each.

    Raises:
        InputError: it needs more than the machine has; the message names the flag and both sizes.
    """
    there = _memory()
    trials = max(len(designs), 1) * len(seeds)
    if trials * _TRIAL_BYTES > there:
        _refuse("num_seeds", len(seeds), f"{trials:,} trials", trials * _TRIAL_BYTES, there)
    for spec in designs:
        network, batch = spec.network, spec.training.batch_size
        parameters = summarize(network).params
        # Each has a gradient beside it.
        if (needed := 2 * _FLOAT * parameters) > there:
            name = max(("features", "hidden"), key=lambda name: _largest(getattr(network, name)))
            _refuse(name, getattr(network, name), f"{parameters:.3g} parameters", needed, there)
        if (needed := batch * _FLOAT * math.prod(network.image_shape)) > there:
            _refuse("batch_size", batch, "a batch", needed, there)


def _largest(value: int | tuple[int, ...]) -> int:
    return max(value) if isinstance(value, tuple) else value


def _memory() -> float:
    """Bytes of memory in this machine; no bound where the system does not say."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return math.inf


def _refuse(name: str, value: object, what: str, needed: float, there: float) -> None:
    raise InputError(
        f"--{name}={as_typed(value)}: {what} would take {needed / _GB:,.0f} GB or more; this "
        f"machine has {there / _GB:,.0f} GB"
    )
