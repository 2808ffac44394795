"""Claims about interactions: whether a difference is another one in another arm."""

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnn_ablation.claims import Claim, Schedule, Setting, Verdict, judge
from cnn_ablation.claims.declared import DeclaredClaim, DeclaredClaims
from cnn_ablation.claims.rows import verdicts_csv
from cnn_ablation.errors import InputError
from cnn_ablation.inference import SequentialDesign, compare_crossed, t_interval

SETTING = Setting("mnist", 2, "adadelta", 1.0)
SEEDS, IMAGES = 12, 500
LOOKS = (8, 12, 20)
Bits = dict[str, dict[int, NDArray[np.bool_]]]


def claim(**changes: Any) -> Claim:
    fields: dict[str, Any] = {
        "name": "part",
        "question": "q",
        "text": "less is left of it",
        "metric": "test_accuracy",
        "contrasts": (("A", "B"),),
        "against": (("C", "D"),),
        "margin": 0.0,
    }
    return Claim(**fields | changes)


def trials(seeds: int = SEEDS, **gains: float) -> Bits:
    """Which images each variant gets right: half of them by luck, more by its gain."""
    return {
        label: {
            seed: np.random.default_rng([number, seed]).random(IMAGES) < 0.5 + gain
            for seed in range(seeds)
        }
        for number, (label, gain) in enumerate(gains.items())
    }


def table(bits: Bits, metric: str = "test_accuracy") -> Any:
    return {metric: {v: {s: float(b.mean()) for s, b in own.items()} for v, own in bits.items()}}


def judged(bits: Bits, own: Claim, *, known: bool = True, looks: Any = None) -> Verdict:
    schedule = Schedule(SequentialDesign(looks), tuple(range(looks[-1]))) if looks else None
    correct = {"test_accuracy": bits} if known else None
    (verdict,) = judge([own], table(bits), SETTING, correct=correct, schedule=schedule)
    return verdict


def double_differences(bits: Bits) -> NDArray[np.int64]:
    a, b, c, d = (np.array([*bits[v].values()]).astype(int) for v in "ABCD")
    return (a - b) - (c - d)


BITS = trials(A=0.3, B=0.1, C=0.2, D=0.15)


def test_it_is_judged_on_the_differences_of_differences_seed_by_seed() -> None:
    by_seed = double_differences(BITS).mean(axis=1)
    verdict = judged(BITS, claim(), known=False)
    (contrast,) = verdict.contrasts
    assert contrast.comparison is not None
    assert contrast.comparison.differences == pytest.approx(by_seed)
    assert contrast.interval == pytest.approx(t_interval(by_seed, 0.05))
    assert contrast.mean_a == pytest.approx(
        float(np.mean([b.mean() for b in BITS["A"].values()]))
        - float(np.mean([b.mean() for b in BITS["B"].values()]))
    )
    assert verdict.outcome == "holds"
    assert contrast.against == ("C", "D")


def test_for_new_images_it_is_judged_on_double_differences_of_correctness() -> None:
    (contrast,) = judged(BITS, claim()).contrasts
    crossed = compare_crossed(double_differences(BITS))
    assert crossed is not None
    assert contrast.scope == "population"
    assert contrast.interval == crossed.interval(0.05)


def test_equal_double_differences_are_ties_and_not_one_rounding_error_apart() -> None:
    ones = np.arange(IMAGES)
    shares = {"A": 0.7, "B": 0.4, "C": 0.6, "D": 0.3}
    bits = {v: dict.fromkeys(range(6), ones < share * IMAGES) for v, share in shares.items()}
    (contrast,) = judged(bits, claim(), known=False).contrasts
    assert contrast.comparison is not None
    assert contrast.comparison.ties == 6


@pytest.mark.parametrize("known", [True, False])
def test_a_sequential_study_judges_it_at_its_looks(known: bool) -> None:
    bits = trials(20, A=0.4, B=0.0, C=0.1, D=0.1)
    verdict = judged(bits, claim(), known=known, looks=LOOKS)
    (contrast,) = verdict.contrasts
    assert verdict.outcome == "holds"
    assert contrast.stop is not None and contrast.stop.decided == 1
    assert contrast.against == ("C", "D")
    # As long as one of the four lacks a seed, that look is not taken.
    bits["D"] = {seed: own for seed, own in bits["D"].items() if seed < 7}
    (contrast,) = judged(bits, claim(), known=known, looks=LOOKS).contrasts
    assert contrast.stop is not None and contrast.stop.taken == 0


def test_ratios_are_compared_by_their_ratio() -> None:
    times = {"A": 8.0, "B": 2.0, "C": 6.0, "D": 3.0}
    values = {v: {r: t * (1 + r / 100) for r in range(12)} for v, t in times.items()}
    own = claim(metric="train_seconds", kind="timing", margin=0.05)
    (verdict,) = judge([own], {"train_seconds": values}, SETTING)
    (contrast,) = verdict.contrasts
    assert contrast.difference == pytest.approx(np.log(2.0))
    assert (contrast.mean_a, contrast.mean_b) == pytest.approx((4.0, 2.0))
    assert "A against B (0.25) less C against D (0.5): 0.5" in verdict.sentence()


def test_a_variant_without_data_is_named() -> None:
    bits = {label: own for label, own in BITS.items() if label != "D"}
    verdict = judged(bits, claim())
    assert (verdict.outcome, verdict.reason) == ("not judged", "no test accuracy of D")


def test_it_is_another_hypothesis_than_the_contrast_alone() -> None:
    plain = claim(name="plain", against=())
    found = judge([plain, claim()], table(BITS), SETTING)
    assert [verdict.family_size for verdict in found] == [2, 2]
    assert claim().labels == ("A", "B", "C", "D")


def test_it_is_told_kept_and_read_back() -> None:
    verdict = judged(BITS, claim())
    assert "A against B (+" in verdict.sentence() and ") less C against D (+" in verdict.sentence()
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict
    assert Claim.from_json(json.loads(json.dumps(claim().to_json()))) == claim()
    plain = claim(against=())
    assert "against" not in plain.to_json()
    row = verdicts_csv([verdict]).splitlines()[1]
    assert "A,B,C,D,holds" in row
    declared = DeclaredClaims((DeclaredClaim(claim()),), SETTING)
    assert DeclaredClaims.from_toml(declared.to_toml()) == declared


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"against": (("C", "D"), ("E", "F"))}, "against has 2 contrasts, must be one for each"),
        ({"against": (("A", "B"),)}, "not against itself"),
        ({"against": (("C", "C"),)}, "needs two variants"),
        ({"kind": "exact", "metric": "params"}, "kind 'exact' has no interactions"),
    ],
)
def test_what_is_no_interaction_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        claim(**changes)
