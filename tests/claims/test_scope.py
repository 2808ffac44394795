"""For what an accuracy claim speaks: new seeds on these images, or new seeds and new images."""

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnn_ablation.claims import Claim, Setting, Verdict, judge
from cnn_ablation.errors import InputError
from cnn_ablation.inference import Interval, compare_crossed, t_interval

SETTING = Setting("mnist", 2, "adadelta", 1.0)
SEEDS, IMAGES = 12, 400
Bits = dict[str, dict[int, NDArray[np.bool_]]]


def claim(**changes: Any) -> Claim:
    return Claim(
        **{
            "name": "ab",
            "question": "q",
            "text": "A is more accurate",
            "metric": "test_accuracy",
            "contrasts": (("A", "B"),),
            **changes,
        }
    )


def trials(gain: float, shared: float) -> Bits:
    """A gets a share of the images right that B gets wrong; of those, some always the same ones."""
    rng = np.random.default_rng(0)
    always = rng.random(IMAGES) < shared
    bits: Bits = {"A": {}, "B": {}}
    for seed in range(SEEDS):
        b = rng.random(IMAGES) < 0.5
        bits["B"][seed] = b
        bits["A"][seed] = np.where(always, True, b | (rng.random(IMAGES) < gain))
    return bits


def table(bits: Bits) -> dict[str, dict[str, dict[int, float]]]:
    return {
        "test_accuracy": {
            label: {seed: float(own.mean()) for seed, own in trial.items()}
            for label, trial in bits.items()
        }
    }


def judged(bits: Bits, own: Claim, known: bool = True) -> Verdict:
    correct = {"test_accuracy": bits} if known else {}
    (verdict,) = judge([own], table(bits), SETTING, correct=correct)
    return verdict


def test_a_claim_speaks_for_new_images_where_they_are_known() -> None:
    bits = trials(0.0, 0.1)
    (contrast,) = judged(bits, claim()).contrasts
    (on_these,) = judged(bits, claim(scope="benchmark")).contrasts
    differences = np.array(
        [bits["A"][s].astype(int) - bits["B"][s].astype(int) for s in range(SEEDS)]
    )
    crossed = compare_crossed(differences)
    assert crossed is not None
    assert contrast.scope == "population"
    assert contrast.interval == crossed.interval(0.05)
    assert contrast.beside == pytest.approx(t_interval(differences.mean(axis=1), 0.05))
    assert (on_these.interval, on_these.beside) == (contrast.beside, contrast.interval)
    assert isinstance(contrast.interval, Interval) and isinstance(contrast.beside, Interval)
    assert contrast.interval.low < contrast.beside.low


def test_a_difference_may_hold_on_these_images_and_not_on_new_ones() -> None:
    bits = trials(0.0, 0.01)
    wide, narrow = judged(bits, claim()), judged(bits, claim(scope="benchmark"))
    assert (narrow.outcome, wide.outcome) == ("holds", "inconclusive")
    assert "They speak for new seeds and new images." in wide.sentence()
    assert "(these images: [" in wide.sentence()
    assert "12 seeds on 400 images could have shown" in wide.sentence()
    assert "They speak for new seeds on these test images." in narrow.sentence()
    assert "(new images: [" in narrow.sentence()


def test_without_bits_a_claim_speaks_for_these_images() -> None:
    bits = trials(0.0, 0.1)
    (contrast,) = judged(bits, claim(), known=False).contrasts
    assert (contrast.scope, contrast.beside, contrast.crossed) == ("benchmark", None, None)
    missing = judged(bits, claim(scope="population"), known=False)
    assert missing.outcome == "not judged"
    assert "hich test images each trial got right is not known" in missing.sentence()


def test_one_trial_without_bits_leaves_the_images_unknown() -> None:
    bits = trials(0.0, 0.1)
    full = table(bits)
    del bits["A"][3]
    (verdict,) = judge([claim()], full, SETTING, correct={"test_accuracy": bits})
    assert verdict.contrasts[0].scope == "benchmark"


def test_a_trial_that_diverged_is_left_out_of_both() -> None:
    bits = trials(0.0, 0.1)
    del bits["A"][3]
    (verdict,) = judge([claim()], table(bits), SETTING, correct={"test_accuracy": bits})
    (contrast,) = verdict.contrasts
    assert contrast.crossed is not None
    assert (contrast.crossed.seeds, verdict.n, verdict.dropped) == (11, 11, 1)


def test_a_decision_for_new_images_needs_the_exact_test_too() -> None:
    bits = {label: dict(list(own.items())[:5]) for label, own in trials(0.0, 0.6).items()}
    verdict = judged(bits, claim())
    assert verdict.outcome == "inconclusive"
    assert "5 seeds cannot bring" in verdict.sentence()


def test_verdicts_with_images_survive_json() -> None:
    verdict = judged(trials(0.0, 0.1), claim())
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


@pytest.mark.parametrize("metric", ["test_loss", "train_accuracy"])
def test_only_what_is_counted_image_by_image_has_a_population(metric: str) -> None:
    with pytest.raises(InputError, match="scope 'population' needs the metric 'test_accuracy'"):
        claim(metric=metric, scope="population")


def test_old_claims_on_times_keep_their_margin_in_seconds() -> None:
    fields = {**claim(metric="train_seconds", kind="timing", margin=0.5).to_json()}
    assert fields["scale"] == "ratio"
    del fields["scale"]
    assert Claim.from_json(fields).scale == "difference"
    assert Claim.from_json({**fields, "margin": 0.0}).scale == "ratio"
    assert "scope" not in fields
