"""What a sequential study promises before it runs."""

import json

import numpy as np
import pytest
from scipy import stats

from cnn_ablation.inference import SequentialDesign, judge_sequentially, sequential_prospects


def test_one_look_has_the_power_of_the_fixed_test() -> None:
    for effect, contrasts in ((0.5, 1), (0.8, 5)):
        found = sequential_prospects(effect, SequentialDesign((20,)), contrasts)
        critical = stats.t.isf(0.025 / contrasts, 19)
        by_t = stats.nct.sf(critical, 19, effect * 20**0.5)
        assert list(found.decided) == pytest.approx([by_t], abs=0.07)
        assert found.expected_units == 20.0


def test_chances_rise_and_units_fall_with_the_effect() -> None:
    design = SequentialDesign((10, 14, 20, 28, 40, 60))
    rows = [sequential_prospects(effect, design, 5) for effect in (0.2, 0.5, 1.0, 3.0)]
    assert all(np.all(np.diff(row.decided) >= 0.0) for row in rows)
    assert np.all(np.diff([row.decided[-1] for row in rows]) >= 0.0)
    units = [row.expected_units for row in rows]
    assert units == sorted(units, reverse=True)
    # 0.025 / 5 / 6 is less than 1 / 1024: ten units cannot decide, 14 that agree can.
    assert rows[-1].decided[:2] == (0.0, 1.0)
    assert units[-1] == 14.0
    assert sequential_prospects(-0.5, design, 5).decided == rows[1].decided


def test_it_is_what_judging_does() -> None:
    design, effect = SequentialDesign((8, 16, 32)), 0.6
    rng = np.random.default_rng(3)
    found = [
        judge_sequentially([np.rint(20 * (effect + rng.normal(size=32)))], [0.0], design, False)[0]
        for _ in range(300)
    ]
    expected = sequential_prospects(effect, design)
    for look, chance in enumerate(expected.decided, start=1):
        share = np.mean([each.outcome == "holds" and (each.look or 9) <= look for each in found])
        assert share == pytest.approx(chance, abs=0.1)
    units = np.mean([each.units or 32 for each in found])
    assert units == pytest.approx(expected.expected_units, abs=2.0)


def test_it_survives_strict_json() -> None:
    found = sequential_prospects(1.0, SequentialDesign((6, 12)))
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["looks"] == [6, 12]
