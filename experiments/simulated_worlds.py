"""Worlds whose truth is known: paired differences of no true size, for the simulations.

Axes of arrays: R replicates of the whole experiment, M contrasts of a family, N units (seeds).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int, int]], Array]


def _neighbours(trials: Array) -> Array:
    """Differences of neighbouring variants, as in a chain of contrasts; one variant is one more."""
    return trials[:, :-1] - trials[:, 1:]


def _one_more(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    return shape[0], shape[1] + 1, shape[2]


def normal(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Normal trials of equal spread."""
    return _neighbours(rng.normal(size=_one_more(shape)))


def skewed_trials(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Accuracies with a long lower tail, the same in every variant: the odd bad seed."""
    return _neighbours(-rng.exponential(size=_one_more(shape)))


def rounded(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Near-ties: normal with a spread of two images, rounded to the 1e-4 of 10,000 images."""
    return np.round(_neighbours(np.round(rng.normal(0.99, 2e-4, size=_one_more(shape)), 4)), 4)


def heteroscedastic(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Variants of different spread (1 to 4), and seeds of different spread (log-normal)."""
    size = _one_more(shape)
    variant_spread = np.linspace(1.0, 4.0, size[1])[None, :, None]
    seed_spread = rng.lognormal(sigma=0.75, size=(shape[0], 1, shape[2]))
    return _neighbours(rng.normal(size=size) * variant_spread * seed_spread)


def skewed_differences(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Differences of mean zero and skewness -1: variants that are not exchangeable.

    Beyond what the sign-flip test promises: nothing is exact here with few seeds.
    """
    return 4.0 - rng.gamma(4.0, size=shape)


NULLS: dict[str, Draw] = {
    "normal": normal,
    "skewed trials": skewed_trials,
    "rounded near-ties": rounded,
    "unequal spread": heteroscedastic,
    "skewed differences": skewed_differences,
}


def strongly_skewed_differences(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    """Differences of mean zero and skewness -2."""
    return 1.0 - rng.exponential(size=shape)


def in_images(draw: Draw, scale: float) -> Draw:
    """A world whose differences are whole images: drawn, scaled and rounded alike on both sides."""

    def drawn(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
        return np.rint(draw(rng, shape) * scale)

    return drawn


SEQUENTIAL_NULLS: dict[str, Draw] = {
    "normal": in_images(normal, 10.0),
    "skewed trials": in_images(skewed_trials, 10.0),
    "rounded near-ties": in_images(rounded, 1e4),
    "tied": in_images(normal, 0.35),
    "unequal spread": in_images(heteroscedastic, 4.0),
    "skewed differences": in_images(skewed_differences, 7.0),
    "skewness -2": in_images(strongly_skewed_differences, 14.0),
}
