"""The simulation of whole sequential studies, small."""

import numpy as np
import pytest

from experiments import simulate_evidence
from experiments.simulate_evidence import LOOKS, WORLDS, World, studies, trained, verdicts


def test_designs_of_a_null_are_alike_on_new_images() -> None:
    world = World(0.0, 0.3)
    shares = [bits.mean(axis=(1, 2)) for bits in studies(world, 1, 40)]
    difference = np.array([a - b for a, b in shares])
    assert abs(difference.mean()) < 4 * difference.std() / 40**0.5
    # On the images of one study they are not.
    assert difference.std() > 0.01


def test_what_holds_on_these_images_alone_is_no_verdict_on_new_ones() -> None:
    bits = next(studies(WORLDS["images alone differ"], 1, 1))
    (on_new,), (on_these,) = (verdicts(bits, scope, LOOKS) for scope in ("population", "benchmark"))
    assert on_these.outcome in ("holds", "fails")
    assert on_new.outcome == "inconclusive"


def test_designs_are_trained_as_far_as_their_last_contrast_needs() -> None:
    bits = next(studies(World(0.01, 0.0), 2, 1, gain=0.1))
    judged = verdicts(bits, "population", LOOKS)
    stops = [verdict.contrasts[0].stop for verdict in judged]
    units = [stop.units if stop and stop.decided else LOOKS[-1] for stop in stops]
    assert trained(judged, LOOKS) == pytest.approx((units[0] + max(units) + units[1]) / 3)


def test_signs_are_enumerated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate_evidence, "ENUMERATED", (6, 8))
    monkeypatch.setattr(simulate_evidence, "MAGNITUDES", {"equal": (1,) * 8})
    row = simulate_evidence.enumeration_table().splitlines()[-1]
    # One-sided budgets 0.0188 and 0.025: all six alike (1/64), then of what is left none.
    assert row == "| equal | 1.562 | 3.125 |"
