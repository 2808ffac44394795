"""Which trials a sequential study needs: a function of its declaration and its trials."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import small_study

from cnn_ablation.claims import Claim
from cnn_ablation.design import TrialSpec
from cnn_ablation.inference import SequentialDesign
from cnn_ablation.study import Question, Study, one_axis
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.sequence import (
    expected_trials,
    look_line,
    missing_trials,
    saved_line,
    seeds_needed,
)
from cnn_ablation.system.correctness import Correctness
from cnn_ablation.training.records import EpochRecord, TrialRecord

LOOKS, IMAGES = (8, 12, 20), 1000
WIDTHS = (2, 4, 6, 8)
# Widths 2 and 4 differ much, 4 and 6 not at all; 8 is in no claim.
GAIN = {2: 0.0, 4: 0.2, 6: 0.2, 8: 0.0}


def claim(name: str, *pairs: tuple[int, int], margin: float = 0.0) -> Claim:
    contrasts = tuple((f"hidden={a}", f"hidden={b}") for a, b in pairs)
    return Claim(name, "width", "wider is better", "test_accuracy", contrasts, margin=margin)


def plan(*claims: Claim) -> Plan:
    variants = one_axis(small_study.BASE, "hidden", WIDTHS)
    study = Study("small", "Width?", (Question("width", "Width", variants, claims),))
    return Plan(
        study=study,
        training=dataclasses.replace(small_study.TRAINING, epochs=1),
        data=small_study.DATA,
        dataset_version="3.0.1",
        fingerprint="0123",
        lowering="xla",
        seeds=tuple(range(LOOKS[-1])),
        schedule=SequentialDesign(LOOKS),
    )


BOTH = plan(claim("clear", (4, 2)), claim("tied", (6, 4)))


def trial(spec: TrialSpec, seed: int, failed: bool = False) -> TrialRecord:
    width = spec.network.hidden_layers[0]
    if failed:
        return TrialRecord(spec, seed, "failed", error="out of luck")
    rng = np.random.default_rng([width, seed])
    correct = Correctness.of(rng.random(IMAGES) < 0.5 + GAIN[width])
    accuracy = correct.count / IMAGES
    epochs = (EpochRecord(1, 1.0, 0.5, 1.0, accuracy, 1.0, 0.1),)
    return TrialRecord(spec, seed, "completed", epochs, test_correct=correct)


def results(of: Plan, **seeds: int) -> StudyResults:
    counts = {f"hidden={width}": seeds[f"w{width}"] for width in WIDTHS}
    trials = [trial(s, n) for s in of.designs for n in range(counts[of.label(s)])]
    return StudyResults(of, tuple(trials), ())


def by_width(needed: Mapping[TrialSpec, int]) -> dict[int, int]:
    return {spec.network.hidden_layers[0]: count for spec, count in needed.items()}


def run(of: Plan, failing: tuple[int, int] | None = None) -> StudyResults:
    """Trains what is missing until nothing is."""
    found = StudyResults(of, (), ())
    while missing := missing_trials(found):
        new = [
            trial(spec, seed, (spec.network.hidden_layers[0], seed) == failing)
            for spec, seed in missing
        ]
        found = StudyResults(of, (*found.trials, *new), ())
    return found


def test_every_design_is_trained_to_the_first_look() -> None:
    assert by_width(seeds_needed(StudyResults(BOTH, (), ()))) == dict.fromkeys(WIDTHS, 8)


def test_only_what_an_open_contrast_compares_goes_on() -> None:
    at_look = results(BOTH, w2=8, w4=8, w6=8, w8=8)
    assert by_width(seeds_needed(at_look)) == {2: 8, 4: 12, 6: 12, 8: 8}
    assert look_line(at_look) == (
        "1 of 2 claims decided with up to 8 seeds; 2 of 4 designs go on to 12 seeds"
    )


def test_a_study_ends_at_the_cap_or_when_all_is_decided() -> None:
    found = run(BOTH)
    counts = dict.fromkeys(WIDTHS, 0)
    for one in found.trials:
        counts[one.spec.network.hidden_layers[0]] += 1
    assert counts == {2: 8, 4: 20, 6: 20, 8: 8}
    assert saved_line(found).startswith("56 of at most 80 trials were trained (30 % saved")
    assert look_line(found).endswith("nothing more is needed")
    assert missing_trials(results(plan(claim("clear", (4, 2))), w2=8, w4=8, w6=8, w8=8)) == []


def test_a_claim_that_failed_by_one_contrast_needs_no_more_of_the_others() -> None:
    both = plan(claim("both", (2, 4), (6, 4)))
    assert missing_trials(results(both, w2=8, w4=8, w6=8, w8=8)) == []


def test_a_stopped_study_decides_as_one_that_was_not() -> None:
    whole = run(BOTH)
    order = [(one.spec, one.seed) for one in whole.trials]
    rng = np.random.default_rng(0)
    for _ in range(10):
        kept = [one for one in whole.trials if rng.random() < 0.7]
        found = StudyResults(BOTH, tuple(kept), ())
        while missing := missing_trials(found):
            assert set(missing) <= set(order)
            new = [trial(spec, seed) for spec, seed in missing]
            found = StudyResults(BOTH, (*found.trials, *new), ())
        assert {(one.spec, one.seed) for one in found.trials} == set(order)


def test_a_failed_trial_is_a_dropped_pair_and_may_be_retried() -> None:
    found = run(BOTH, failing=(4, 3))
    assert sum(one.status == "failed" for one in found.trials) == 1
    assert missing_trials(found) == []
    (again,) = missing_trials(found, retry_failed=True)
    assert (again[0].network.hidden_layers[0], again[1]) == (4, 3)


def test_fixed_studies_need_every_seed() -> None:
    fixed = dataclasses.replace(BOTH, schedule=None)
    assert by_width(seeds_needed(StudyResults(fixed, (), ()))) == dict.fromkeys(WIDTHS, 20)


def test_expected_trials_lie_between_first_look_and_cap() -> None:
    small, large = expected_trials(BOTH, 0.0), expected_trials(BOTH, 3.0)
    assert 32 < large < small < 80
    # What is in no claim stays at the first look.
    assert small <= 8 + 3 * 20
