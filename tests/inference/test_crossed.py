"""Crossed random effects against U-statistics, by hand, and in worlds whose parts are planted."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from cnn_ablation.errors import InputError
from cnn_ablation.inference import (
    CrossedComparison,
    Interval,
    compare_crossed,
    correctness_differences,
    t_interval,
)

Table = NDArray[np.int64]


def crossed(table: Table) -> CrossedComparison:
    found = compare_crossed(table)
    assert found is not None
    return found


def variance_by_u_statistics(table: Table) -> float:
    """Of the mean over new seeds and images: moments of products (Gallas 2006; Gallas et al. 2007).

    Every product of two cells is looked at, by whether they share their seed and their image; the
    mean of each kind estimates one moment, and the variance of the mean is linear in the four.
    """
    seeds, images = table.shape
    products: dict[tuple[bool, bool], list[int]] = {}
    cells = list(itertools.product(range(seeds), range(images)))
    for (s, i), (t, j) in itertools.product(cells, repeat=2):
        products.setdefault((s == t, i == j), []).append(int(table[s, i] * table[t, j]))
    moment = {kind: float(np.mean(values)) for kind, values in products.items()}
    return (
        moment[True, True]
        + (images - 1) * moment[True, False]
        + (seeds - 1) * moment[False, True]
        + ((seeds - 1) * (images - 1) - seeds * images) * moment[False, False]
    ) / (seeds * images)


tables = st.tuples(st.integers(2, 5), st.integers(2, 6), st.integers(0, 10_000)).map(
    lambda drawn: np.random.default_rng(drawn[2]).integers(-1, 2, size=drawn[:2])
)


@given(tables)
@settings(max_examples=80, deadline=None)
def test_variance_equals_the_u_statistics_where_no_part_is_negative(table: Table) -> None:
    found, expected = crossed(table), variance_by_u_statistics(table)
    error = found.standard_error() ** 2
    if found.image_error > 0.0:
        assert error == pytest.approx(expected, abs=1e-12)
    else:
        assert error >= expected - 1e-12
    if min(found.seed_variance, found.image_variance) > 0.0:
        assert sum(found.parts().values()) == pytest.approx(expected, abs=1e-12)


@given(tables)
def test_the_benchmark_interval_is_todays_t_interval_over_seeds(table: Table) -> None:
    found = crossed(table)
    expected = t_interval(table.mean(axis=1), 0.01)
    assert expected is not None
    interval = found.interval(0.01, "benchmark")
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert found.degrees_of_freedom("benchmark") == len(table) - 1
    wider = found.standard_error() - found.standard_error("benchmark")
    assert wider >= 0.0
    assert (wider > 0.0) == (found.image_error > 0.0)


@given(tables)
def test_image_error_is_the_mean_covariance_of_two_seeds(table: Table) -> None:
    covariances = np.cov(table)
    pairs = [covariances[s, t] for s, t in itertools.combinations(range(len(table)), 2)]
    expected = max(0.0, float(np.mean(pairs))) / table.shape[1]
    assert crossed(table).image_error == pytest.approx(expected, abs=1e-12)


def test_parts_by_hand() -> None:
    """Rows differ by one throughout: all variance is between seeds, none between images."""
    seeds_only = crossed(np.array([[0, 0, 0, 0], [1, 1, 1, 1]]))
    assert seeds_only.parts() == {"seed": 0.25, "image": 0.0, "interaction": 0.0}
    assert seeds_only.degrees_of_freedom() == 1.0
    # Columns differ, seeds agree: four images of variance 1/3, mean of four.
    images_only = crossed(np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]))
    assert images_only.parts() == pytest.approx({"seed": 0, "image": 1 / 12, "interaction": 0})
    assert images_only.degrees_of_freedom() == pytest.approx(3.0)
    assert images_only.interval(0.05, "benchmark") == Interval(0.5, 0.5)
    half = float(stats.t.isf(0.025, 3)) / 12**0.5
    interval = images_only.interval(0.05)
    assert (interval.low, interval.high) == pytest.approx((0.5 - half, 0.5 + half))


def test_degrees_of_freedom_lie_between_those_of_the_parts() -> None:
    found = CrossedComparison(5, 1001, 0.0, 0.0, 0.0, 0.0, seed_error=3.0, image_error=4.0)
    assert found.degrees_of_freedom() == pytest.approx(49 / (9 / 4 + 16 / 1000))
    assert found.standard_error() == pytest.approx(7**0.5)
    assert found.standard_error("benchmark") == pytest.approx(3**0.5)


def test_no_spread_gives_an_interval_of_no_width() -> None:
    same = crossed(np.ones((3, 4), dtype=np.int64))
    assert same.interval(0.05) == same.interval(0.05, "benchmark") == Interval(1.0, 1.0)


@pytest.mark.parametrize("shape", [(1, 10), (10, 1), (0, 5)])
def test_one_seed_or_one_image_shows_no_spread(shape: tuple[int, int]) -> None:
    assert compare_crossed(np.zeros(shape)) is None


def test_correctness_of_two_variants() -> None:
    a, b = [[True, True, False, False]], [[True, False, True, False]]
    assert correctness_differences(a, b).tolist() == [[0, 1, -1, 0]]
    for other in ([[True, False]], [True, False, True, False]):
        with pytest.raises(InputError, match=r"both must be \(seeds, images\)"):
            correctness_differences(a, other)


def test_it_survives_strict_json() -> None:
    found = crossed(np.array([[0, 1, 0, 1], [1, 1, 0, 0], [0, -1, 1, 0]]))
    text = json.dumps(found.to_json(), allow_nan=False)
    assert CrossedComparison.from_json(json.loads(text)) == found


class World:
    """Differences in {-1, 0, 1} from a normal score with planted parts; |score| < 2 is a tie."""

    def __init__(self, mean: float, seed: float, image: float, rest: float) -> None:
        self.mean, self.sd = mean, (seed, image, rest)
        spread = (seed**2 + image**2 + rest**2) ** 0.5
        self.truth = float(
            stats.norm.sf((2 - mean) / spread) - stats.norm.cdf((-2 - mean) / spread)
        )

    def draw(self, rng: np.random.Generator, seeds: int, images: int) -> NDArray[np.int8]:
        seed, image, rest = self.sd
        score = self.mean + rest * rng.standard_normal((seeds, images), dtype=np.float32)
        score += seed * rng.normal(size=(seeds, 1)) + image * rng.normal(size=images)
        return (score > 2).astype(np.int8) - (score < -2).astype(np.int8)

    def coverage(
        self, seeds: int, images: int, replicates: int, level: float = 0.05
    ) -> tuple[float, float]:
        """Shares of intervals that cover the truth: over new seeds, over new images too."""
        covered = np.zeros(2)
        rng = np.random.default_rng([seeds, images])
        for _ in range(replicates):
            found = crossed(self.draw(rng, seeds, images).astype(np.int64))
            for column, interval in enumerate(
                (found.interval(level, "benchmark"), found.interval(level, "population"))
            ):
                covered[column] += interval.low <= self.truth <= interval.high
        return float(covered[0] / replicates), float(covered[1] / replicates)


WORLDS = {
    "seeds": World(0.1, 0.3, 0.0, 1.0),
    "images": World(0.1, 0.03, 1.2, 0.6),
    "both": World(-0.2, 0.1, 1.0, 1.0),
    "neither": World(0.0, 0.0, 0.0, 1.2),
    "rare differences": World(0.2, 0.1, 0.7, 0.6),
}


@pytest.mark.parametrize("name", WORLDS)
def test_coverage_over_new_seeds_and_images(name: str) -> None:
    _, population = WORLDS[name].coverage(seeds=8, images=500, replicates=300)
    # Four standard errors of 300 replicates below 95 %, and at most 99.7 %.
    assert 0.90 <= population <= 0.997


def test_an_interval_over_seeds_alone_does_not_speak_for_new_images() -> None:
    benchmark, population = WORLDS["images"].coverage(seeds=8, images=500, replicates=200)
    assert benchmark < 0.7 < population


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("seeds", [8, 20])
@pytest.mark.parametrize("level", [0.05, 0.05 / 14])
def test_coverage_in_many_worlds(name: str, seeds: int, level: float) -> None:
    replicates = 2000
    _, population = WORLDS[name].coverage(seeds, 2000, replicates, level)
    error = (level * (1 - level) / replicates) ** 0.5
    assert population >= 1 - 1.3 * level - 4 * error
