"""Claims of a study that adds seeds until they are decided."""

from typing import Any

import numpy as np
import pytest

from cnn_ablation.claims import Claim, Schedule, Setting, Verdict, judge
from cnn_ablation.inference import SequentialDesign

SETTING = Setting("mnist", 2, "adadelta", 1.0)
LOOKS = (8, 12, 20)
IMAGES = 1000


def claim(name: str = "ab", **changes: Any) -> Claim:
    fields: dict[str, Any] = {
        "name": name,
        "question": "q",
        "text": "it is more accurate",
        "metric": "test_accuracy",
        "contrasts": (("A", "B"),),
        "margin": 0.0,
    }
    return Claim(**fields | changes)


def trials(seeds: int, **gains: float) -> dict[str, dict[int, Any]]:
    """Which images each variant gets right: half of them by luck, more by its gain."""
    bits: dict[str, dict[int, Any]] = {}
    for number, (label, gain) in enumerate(gains.items()):
        rngs = (np.random.default_rng([number, seed]) for seed in range(seeds))
        bits[label] = {seed: rng.random(IMAGES) < 0.5 + gain for seed, rng in enumerate(rngs)}
    return bits


def verdicts(
    claims: list[Claim], bits: Any, looks: tuple[int, ...] = LOOKS, known: bool = True
) -> list[Verdict]:
    table = {
        "test_accuracy": {
            label: {s: None if b is None else float(np.mean(b)) for s, b in own.items()}
            for label, own in bits.items()
        }
    }
    correct = {
        label: {s: b for s, b in own.items() if b is not None} for label, own in bits.items()
    }
    schedule = Schedule(SequentialDesign(looks), tuple(range(looks[-1])))
    given = {"test_accuracy": correct} if known else None
    return judge(claims, table, SETTING, correct=given, schedule=schedule)


@pytest.mark.parametrize("scope", ["population", "benchmark"])
def test_a_large_difference_is_decided_at_an_early_look(scope: Any) -> None:
    (verdict,) = verdicts([claim(scope=scope)], trials(20, A=0.2, B=0.0))
    (contrast,) = verdict.contrasts
    assert verdict.outcome == "holds"
    assert contrast.stop is not None
    assert (contrast.stop.decided, contrast.stop.units) == (1, 8)
    assert contrast.interval is not None and contrast.interval.low > 0.0
    assert contrast.scope == scope
    assert contrast.beside is not None
    assert "decided at look 1 of 3: 8 of at most 20 seeds" in verdict.sentence()
    assert "biased away from the margin" in verdict.sentence()
    assert contrast.p_adjusted is None


def test_a_decision_is_the_same_whatever_came_after_it() -> None:
    early = verdicts([claim()], trials(8, A=0.2, B=0.0))
    late = verdicts([claim()], trials(20, A=0.2, B=0.0))
    first, last = early[0].contrasts[0], late[0].contrasts[0]
    assert first.outcome == last.outcome
    assert first.stop is not None and last.stop is not None
    assert first.stop.decided == last.stop.decided == 1


def test_nothing_is_said_between_looks() -> None:
    at_look, after = (verdicts([claim()], trials(n, A=0.02, B=0.0))[0] for n in (12, 19))
    assert at_look.contrasts[0] == after.contrasts[0]


def test_before_the_first_look_nothing_is_judged() -> None:
    (verdict,) = verdicts([claim()], trials(7, A=0.2, B=0.0))
    assert verdict.outcome == "inconclusive"
    assert verdict.contrasts[0].stop is not None and verdict.contrasts[0].stop.is_open
    assert "before the first look at 8 seeds" in verdict.sentence()


def test_a_tie_is_open_until_the_cap() -> None:
    (open_one,) = verdicts([claim()], trials(12, A=0.0, B=0.0))
    (at_cap,) = verdicts([claim()], trials(20, A=0.0, B=0.0))
    assert open_one.outcome == at_cap.outcome == "inconclusive"
    assert "open after look 2 of 3: 12 of at most 20 seeds" in open_one.sentence().lower()
    assert "undecided at the cap of 20 seeds" in at_cap.sentence().lower()


def test_fails_has_its_riders() -> None:
    bits = trials(20, A=0.0, B=0.2, C=0.0)
    reversed_one, equal = verdicts(
        [claim("worse", margin=0.01), claim("same", contrasts=(("A", "C"),), margin=0.1)], bits
    )
    assert (reversed_one.outcome, reversed_one.riders) == ("fails", ("reversed",))
    assert (equal.outcome, equal.riders) == ("fails", ("equivalent",))


def test_new_images_need_both_the_exact_test_and_the_crossed_interval() -> None:
    rng = np.random.default_rng(0)
    same = rng.random(IMAGES) < 0.004
    bits = trials(20, A=0.0, B=0.0)
    bits["A"] = {seed: own | same for seed, own in bits["B"].items()}
    (narrow,) = verdicts([claim(scope="benchmark")], bits)
    (wide,) = verdicts([claim()], bits)
    assert (narrow.outcome, wide.outcome) == ("holds", "inconclusive")


def test_a_gap_in_the_seeds_ends_what_is_looked_at_and_a_diverged_one_does_not() -> None:
    bits = trials(20, A=0.2, B=0.0)
    gap = {label: {s: b for s, b in own.items() if s != 9} for label, own in bits.items()}
    (verdict,) = verdicts([claim()], gap)
    assert verdict.contrasts[0].stop is not None
    assert verdict.contrasts[0].stop.taken == 1
    bits["A"][9] = None
    (verdict,) = verdicts([claim()], bits)
    assert verdict.outcome == "holds"
    assert verdict.dropped == 1


def test_rounds_of_timing_are_judged_as_in_a_fixed_study() -> None:
    timed = claim("quick", metric="train_seconds", kind="timing", direction="smaller", margin=None)
    table = {
        "train_seconds": {
            "A": {r: 1.0 + 0.01 * (r % 3) for r in range(10)},
            "B": {r: 1.5 + 0.01 * (r % 2) for r in range(10)},
        }
    }
    schedule = Schedule(SequentialDesign(LOOKS), tuple(range(20)))
    quick, better = judge([timed, claim()], table, SETTING, schedule=schedule)
    (alone, _) = judge([timed, claim()], table, SETTING)
    assert quick == alone
    assert quick.outcome == "holds"
    assert better.outcome == "not judged"
