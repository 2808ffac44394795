"""Parts of a variance: against analysis of variance by hand, and planted parts found again."""

import numpy as np
import pytest

from cnn_ablation.errors import InputError
from cnn_ablation.inference.variance_parts import variance_parts


def test_two_sources_by_hand() -> None:
    """Rows 1, 2; columns 10, 20, 60; one cell is off by 3: sums of squares on paper."""
    table = np.array([[1.0, 2.0, 6.0], [2.0, 3.0, 10.0]])
    rows, columns, rest = variance_parts(table, ("row", "column"))
    ms_row = 3 * ((3.0 - 4.0) ** 2 + (5.0 - 4.0) ** 2) / 1
    ms_column = 2 * sum((m - 4.0) ** 2 for m in (1.5, 2.5, 8.0)) / 2
    ms_rest = (np.sum((table - 4.0) ** 2) - ms_row - 2 * ms_column) / 2
    assert rest.variance == pytest.approx(ms_rest)
    assert rows.variance == pytest.approx((ms_row - ms_rest) / 3)
    assert columns.variance == pytest.approx((ms_column - ms_rest) / 2)
    assert [part.sources for part in (rows, columns, rest)] == [
        ("row",),
        ("column",),
        ("row", "column"),
    ]


def test_the_interval_of_a_single_mean_square_is_that_of_chi_square() -> None:
    (part,) = variance_parts([1.0, 2.0, 3.0, 4.0, 5.0], ("seed",))
    assert part.variance == pytest.approx(2.5)
    # Quantiles of chi-square with 4 degrees of freedom, from a table.
    assert part.interval.low == pytest.approx(4 * 2.5 / 11.143, abs=1e-3)
    assert part.interval.high == pytest.approx(4 * 2.5 / 0.4844, rel=1e-3)


@pytest.mark.parametrize(
    ("shape", "sds"), [((8, 8), (1.0, 0.5, 1.0)), ((5, 5, 5), (1.0, 0.0, 0.5, 1.0))]
)
def test_planted_parts_are_found_and_covered(
    shape: tuple[int, ...], sds: tuple[float, ...]
) -> None:
    """400 worlds; nominal coverage is 95 %."""
    rng = np.random.default_rng(1)
    names = tuple("abc"[: len(shape)])
    found: dict[tuple[str, ...], list[tuple[float, bool]]] = {}
    for _ in range(400):
        table = sds[-1] * rng.normal(size=shape)
        for axis, sd in enumerate(sds[:-1]):
            own = [1] * len(shape)
            own[axis] = shape[axis]
            table = table + sd * rng.normal(size=own)
        for part in variance_parts(table, names):
            single = len(part.sources) == 1
            truth = sds[names.index(part.sources[0])] ** 2 if single else 0.0
            truth = sds[-1] ** 2 if part.sources == names else truth
            covered = part.interval.low <= truth <= part.interval.high
            found.setdefault(part.sources, []).append((part.variance - truth, covered))
    for sources, of_part in found.items():
        errors, covered = np.array(of_part).T
        assert abs(errors.mean()) < 0.12, sources
        assert covered.mean() > 0.92, sources


def test_what_does_not_vary_has_no_variance() -> None:
    for part in variance_parts(np.full((3, 4), 0.98), ("init", "order")):
        assert (part.variance, part.sd, part.interval.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("values", "sources"),
    [([1.0, 2.0], ("a", "b")), ([1.0, float("nan")], ("a",))],
)
def test_no_full_crossing_is_refused(values: list[float], sources: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        variance_parts(values, sources)
