"""The parts of a report that are functions of numbers and names alone."""

import dataclasses
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from synthetic_results import stride_study, synthetic_results

from cnn_ablation.design import NetworkSpec
from cnn_ablation.report.anchors import anchors
from cnn_ablation.report.axes import fitted
from cnn_ablation.report.inlining import inline
from cnn_ablation.report.looks import INK, looks_of
from cnn_ablation.report.measures import (
    Spread,
    control_arm,
    count_statuses,
    main_arm,
    measure,
)
from cnn_ablation.report.pages import escape_markdown
from cnn_ablation.report.pareto import pareto_front
from cnn_ablation.report.rendering import swatch_svg
from cnn_ablation.study import Variant

_COORDINATES = st.integers(0, 6).map(float)
_POINTS = st.lists(st.tuples(_COORDINATES, _COORDINATES), max_size=12)


def _dominates(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a[0] <= b[0] and a[1] >= b[1] and a != b


@given(_POINTS)
def test_front_is_what_nobody_dominates(points: list[tuple[float, float]]) -> None:
    front = pareto_front(points)
    expected = {i for i, p in enumerate(points) if not any(_dominates(q, p) for q in points)}
    assert set(front) == expected
    assert len(front) == len(expected)


@given(_POINTS)
def test_front_rises_from_cheap_to_dear(points: list[tuple[float, float]]) -> None:
    front = [points[i] for i in pareto_front(points)]
    assert front == sorted(front)


@pytest.mark.parametrize("count", [2, 5, 20])
def test_spread_agrees_with_scipy(count: int) -> None:
    values = np.random.default_rng(count).normal(0.98, 0.002, count)
    spread = Spread.of(values.tolist())
    assert spread is not None and spread.interval is not None
    low, high = stats.t.interval(0.95, count - 1, values.mean(), stats.sem(values))
    assert (spread.mean, spread.sd) == pytest.approx((values.mean(), values.std(ddof=1)))
    assert (spread.interval.low, spread.interval.high) == pytest.approx((low, high))
    assert (spread.low, spread.high, spread.n) == (values.min(), values.max(), count)


def test_one_value_has_no_spread_and_none_no_figure() -> None:
    one = Spread.of([0.5])
    assert one is not None
    assert (one.mean, one.sd, one.interval) == (0.5, None, None)
    assert Spread.of([]) is None


def test_statuses_are_counted_once_a_design_and_only_completed_trials_give_figures() -> None:
    statuses = {(0, 0): "diverged", (0, 1): "failed", (1, 2): "missing"}
    results = synthetic_results(
        stride_study(), seeds=range(4), status_of=lambda d, s: statuses.get((d, s), "completed")
    )
    first, second, *_ = measure(results, results.study.questions[0])
    assert first.counts == {"completed": 2, "diverged": 1, "failed": 1, "missing": 0}
    assert second.counts == {"completed": 3, "diverged": 0, "failed": 0, "missing": 1}
    assert [trial.seed for trial in first.completed] == [2, 3]
    assert first.final("test_accuracy").n == 2  # type: ignore[union-attr]
    total = len(results.plan.designs) * 4
    expected = {"completed": total - 3, "diverged": 1, "failed": 1, "missing": 1}
    assert count_statuses(results) == expected


def test_trials_of_seeds_not_asked_for_are_left_out() -> None:
    results = synthetic_results(stride_study(), seeds=range(5))
    fewer = dataclasses.replace(results, plan=dataclasses.replace(results.plan, seeds=(1, 3)))
    (first, *_) = measure(fewer, fewer.study.questions[0])
    assert [trial.seed for trial in first.completed] == [1, 3]


def test_control_arm_has_equal_parameters_and_a_design_for_each_variant() -> None:
    results = synthetic_results(stride_study(), seeds=range(2))
    measured = measure(results, results.study.questions[0])
    arm = control_arm(measured)
    assert [m.variant.control_of or m.label for m in arm] == [m.label for m in main_arm(measured)]
    params = [m.summary.params for m in arm]
    assert max(params) / min(params) < 1.02
    assert not control_arm(main_arm(measured))


def test_twelve_variants_look_different_and_controls_like_theirs_but_hollow() -> None:
    variants = [Variant(str(n), NetworkSpec(hidden=n)) for n in range(1, 13)]
    control = Variant("c", NetworkSpec(hidden=99), control_of="3")
    looks = looks_of([*variants, control])
    marks = [(looks[v.label].marker, looks[v.label].colour) for v in variants]
    assert len(set(marks)) == 12
    assert len({marker for marker, _ in marks}) == 12
    assert looks["c"] == dataclasses.replace(looks["3"], filled=False)
    assert looks["c"].face != looks["c"].colour


@given(st.lists(st.text(max_size=8), max_size=8))
def test_anchors_are_unique_and_safe(names: list[str]) -> None:
    found = anchors(names)
    assert len(set(found)) == len(names)
    assert all(re.fullmatch(r"\w+(-\w+)*", anchor, re.ASCII) for anchor in found)


@given(st.text(max_size=80), st.integers(1, 3))
def test_labels_fit_their_room(label: str, lines: int) -> None:
    rows = fitted(label, lines, width=20).split("\n")
    assert len(rows) <= lines
    assert all(1 <= len(row) <= 20 for row in rows)


def test_inlined_drawing_takes_the_page_s_colours_and_own_ids() -> None:
    svg = swatch_svg(next(iter(looks_of([Variant("a", NetworkSpec())]).values())))
    text = inline(svg.replace("#0072b2", INK), "key", alt='a "quoted" <alt>')
    root = ElementTree.fromstring(text)
    assert root.attrib["aria-label"] == 'a "quoted" <alt>'
    assert "currentColor" in text
    assert INK not in text
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert ids
    assert all(name.startswith("key-") for name in ids)
    for element in root.iter():
        assert element.attrib.get("href", "#key-1").removeprefix("#") in ids
    assert "metadata" not in text
    assert "http" not in text


def test_markdown_is_escaped_onto_one_line() -> None:
    assert escape_markdown("a|b\n<c> & *d* `e`") == r"a\|b \<c\> &amp; \*d\* \`e\`"
