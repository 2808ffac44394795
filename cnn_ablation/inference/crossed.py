"""Seeds and test images as crossed random effects: does a difference hold on new images too?

Every seed is tested on the same images, so the difference in correctness of two variants is a table
D[s, i] in {-1, 0, 1}. Its mean varies with the seeds drawn and with the images drawn, and an
interval over seeds alone speaks for these images only. With v_s the variance of the mean over new
seeds (that of the row means over S), and v_i what new images add (the mean covariance over images
of two seeds' differences, over I), the mean over new seeds and new images has the variance
v_s + v_i, with degrees of freedom by Satterthwaite. The same model is known from radiology as
readers by cases (Gallas, Pennello and Myers 2007, doi 10.1364/JOSAA.24.000B70).

Axes of arrays: S seeds, I images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_ablation.errors import InputError
from cnn_ablation.inference.intervals import Interval
from cnn_ablation.inference.scipy_later import stats

# What an interval speaks for: new seeds on these images, or new seeds and new images.
Scope = Literal["benchmark", "population"]


@dataclass(frozen=True)
class CrossedComparison:
    """The mean paired difference in correctness and where its variance comes from.

    Attributes:
        seeds: S.
        images: I.
        difference: mean of D over seeds and images, which is the difference in accuracy.
        seed_variance: between seeds, of a seed's difference over all images there could be.
        image_variance: between images, of an image's difference over all seeds there could be.
        interaction_variance: what is left: of one seed on one image.
        seed_error: v_s, the variance of `difference` over new seeds on these images.
        image_error: v_i, what new images add to it. No variance is below zero: an estimate that is
            counts as zero.
    """

    seeds: int
    images: int
    difference: float
    seed_variance: float
    image_variance: float
    interaction_variance: float
    seed_error: float
    image_error: float

    def standard_error(self, scope: Scope = "population") -> float:
        """Of `difference`, over new seeds, and new images where the scope is the population."""
        return float(self._error(scope) ** 0.5)

    def degrees_of_freedom(self, scope: Scope = "population") -> float:
        """S - 1 over new seeds; by Satterthwaite over new seeds and new images."""
        if scope == "benchmark" or self.image_error == 0.0:
            return float(self.seeds - 1)
        parts = self.seed_error**2 / (self.seeds - 1) + self.image_error**2 / (self.images - 1)
        return self._error(scope) ** 2 / parts

    def interval(self, level: float = 0.05, scope: Scope = "population") -> Interval:
        """Interval of the mean difference.

        Args:
            level: two-sided; divide by the family's size for simultaneous intervals.
            scope: 'benchmark' gives the t interval over seeds.
        """
        quantile = float(stats.t.isf(level / 2.0, self.degrees_of_freedom(scope)))
        half = quantile * self.standard_error(scope)
        return Interval(self.difference - half, self.difference + half)

    def parts(self) -> dict[str, float]:
        """The variance of `difference` over new seeds and new images by source: it sums them."""
        cells = self.seeds * self.images
        return {
            "seed": self.seed_variance / self.seeds,
            "image": self.image_variance / self.images,
            "interaction": self.interaction_variance / cells,
        }

    def _error(self, scope: Scope) -> float:
        return self.seed_error + (self.image_error if scope == "population" else 0.0)

    def to_json(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CrossedComparison:
        """The inverse of `to_json`."""
        return cls(**data)


def correctness_differences(correct_a_SI: ArrayLike, correct_b_SI: ArrayLike) -> NDArray[np.int8]:
    """D[s, i]: which images A gets right and B does not (1), or the other way round (-1).

    Args:
        correct_a_SI: whether A, at each seed, got each image right; boolean, shape (S, I).
        correct_b_SI: the same of B, with the same seeds and images in the same order.

    Raises:
        InputError: for shapes that are not the same two axes.
    """
    a = np.asarray(correct_a_SI, dtype=np.bool_)
    b = np.asarray(correct_b_SI, dtype=np.bool_)
    if a.ndim != 2 or a.shape != b.shape:
        raise InputError(
            f"correctness of shapes {a.shape} and {b.shape}: both must be (seeds, images)"
        )
    return a.astype(np.int8) - b.astype(np.int8)


def compare_crossed(differences_SI: ArrayLike) -> CrossedComparison | None:
    """Analyses a table of paired differences with seeds and images as crossed random effects.

    Args:
        differences_SI: see `correctness_differences`, or any differences, shape (S, I).

    Returns:
        The comparison; None with fewer than two seeds or two images, which show no spread.
    """
    table = np.asarray(differences_SI)
    seeds, images = table.shape
    if seeds < 2 or images < 2:
        return None
    by_seed, by_image = table.mean(axis=1), table.mean(axis=0)
    mean = float(by_seed.mean())
    # Sums of squares of whole numbers: no S x I array of float64 is needed.
    square = float(np.sum(np.square(table, dtype=np.float64)))
    seed_square = images * float(np.sum((by_seed - mean) ** 2))
    image_square = seeds * float(np.sum((by_image - mean) ** 2))
    rest = max(0.0, square - seeds * images * mean**2 - seed_square - image_square)
    residual = rest / ((seeds - 1) * (images - 1))
    seed_mean_square = seed_square / (seeds - 1)
    image_variance = max(0.0, (image_square / (images - 1) - residual) / seeds)
    return CrossedComparison(
        seeds=seeds,
        images=images,
        difference=mean,
        seed_variance=max(0.0, (seed_mean_square - residual) / images),
        image_variance=image_variance,
        interaction_variance=residual,
        seed_error=seed_mean_square / (seeds * images),
        image_error=image_variance / images,
    )
