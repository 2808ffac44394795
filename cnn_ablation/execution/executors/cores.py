"""Which processor cores a worker keeps to, so that trials side by side do not fight over them."""

import os


def available_cores() -> tuple[int, ...]:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def share_of(worker: int, workers: int, cores: tuple[int, ...]) -> tuple[int, ...]:
    """The cores of one worker: neighbours, the same number for each; shared where there are few.

    Args:
        worker: number of the worker from 0.
        workers: how many there are.
        cores: what they have between them.
    """
    each = len(cores) // workers
    if each == 0:
        return (cores[worker % len(cores)],)
    return cores[worker * each : (worker + 1) * each]


def keep_to(cores: tuple[int, ...]) -> None:
    """Keeps this process, and all threads that it starts from now on, to some cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
