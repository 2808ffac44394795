"""Which trials a study needs by now: a function of its declaration and of the trials that it has.

Nothing is remembered from look to look, so a study that was stopped decides as one that was not.
"""

import itertools
from collections.abc import Hashable, Iterable

from cnn_ablation.claims import Verdict
from cnn_ablation.claims.prospects import families
from cnn_ablation.design import TrialSpec
from cnn_ablation.inference import sequential_prospects
from cnn_ablation.study.declaration import Question, Variant
from cnn_ablation.study.plan import Plan, Trial
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import judge_results, setting_of
from cnn_ablation.training.records import TrialRecord


def seeds_needed(results: StudyResults) -> dict[TrialSpec, int]:
    """With how many seeds, from the first on, each design must have been trained by now.

    In a sequential study every design is trained up to the first look. A further look is taken of
    what an open contrast compares, as long as its claim is open: a claim that has failed by one
    contrast needs no more of the others.
    """
    plan = results.plan
    if plan.schedule is None:
        return dict.fromkeys(plan.designs, len(plan.seeds))
    needed = dict.fromkeys(plan.designs, plan.schedule.looks[0])
    verdicts = iter(judge_results(results, intervals=False))
    for question in plan.study.questions:
        for _ in question.claims:
            for label, seeds in _of_claim(next(verdicts)).items():
                for spec in _specs(results, question, label):
                    needed[spec] = max(needed.get(spec, 0), seeds)
    return needed


def missing_trials(results: StudyResults, *, retry_failed: bool = False) -> list[Trial]:
    """The trials that are needed by now and not there: those of tuning first, then all others.

    Of tuning itself first those of the declared grid, then of each extension.

    Args:
        results: what is there.
        retry_failed: whether trials that failed count as not there.
    """
    tuning = results.tuning
    if tuning is None:
        return missing_evaluations(results, retry_failed=retry_failed)
    missing = _not_in(tuning.trials, tuning.needed, retry_failed)
    missing = missing or _not_in(tuning.trials, _later_tuning(results), retry_failed)
    return missing or missing_evaluations(results, retry_failed=retry_failed)


def _later_tuning(results: StudyResults) -> list[Trial]:
    """Of a sequential study whose seeds are tuned each by itself: trials for its later seeds."""
    tuning, schedule = results.tuning, results.plan.schedule
    if tuning is None or tuning.tuning.once or schedule is None:
        return []
    attempts = {(t.question, t.label): t.attempts for t in tuning.variants}
    wanted: dict[Trial, None] = {}
    verdicts = iter(judge_results(results, intervals=False))
    for question in results.study.questions:
        for _ in question.claims:
            for label, count in _of_claim(next(verdicts)).items():
                own = tuning.tuning.trial_seeds(results.seeds[schedule.looks[0] : count])
                for attempt in attempts.get((question.name, label), ()):
                    wanted |= dict.fromkeys((attempt.spec, seed) for seed in own)
    return list(wanted)


def missing_evaluations(results: StudyResults, *, retry_failed: bool = False) -> list[Trial]:
    """As `missing_trials`, but those of tuning, before which none of these is trained."""
    needed = seeds_needed(results)
    declared = set(results.plan.trials())
    wanted = [
        (spec, seed)
        for spec, count in needed.items()
        for seed in results.seeds[:count]
        if (spec, seed) in declared
    ]
    return _not_in(results.trials, wanted, retry_failed)


def foreseen_trials(results: StudyResults, *, retry_failed: bool = False) -> list[Trial]:
    """The trials that are needed by now and those that follow tuning; see `missing_trials`.

    A variant that is not tuned yet stands there as given, with the seeds of the study, in a
    sequential one of its first look. What extends a grid is not foreseen.
    """
    tuning, schedule = results.tuning, results.plan.schedule
    missing = [] if tuning is None else _not_in(tuning.trials, tuning.needed, retry_failed)
    seeds = results.seeds if schedule is None else results.seeds[: schedule.looks[0]]
    later = [(spec, seed) for spec in results.plan.untuned for seed in seeds]
    return [*missing, *missing_evaluations(results, retry_failed=retry_failed), *later]


def _not_in(
    trials: Iterable[TrialRecord], wanted: Iterable[Trial], retry_failed: bool
) -> list[Trial]:
    done = {(trial.spec, trial.seed) for trial in trials if trial.finished or not retry_failed}
    return [trial for trial in wanted if trial not in done]


def look_line(results: StudyResults) -> str:
    """What a sequential study has decided so far, and what goes on."""
    verdicts = [v for v in judge_results(results, intervals=False) if v.claim.kind == "paired"]
    judged = [v for v in verdicts if v.contrasts]
    decided = sum(v.outcome in ("holds", "fails") for v in judged)
    needed = seeds_needed(results)
    going = {spec for spec, _ in missing_trials(results)}
    text = f"{decided} of {len(judged)} claims decided with up to {_most(results)} seeds"
    if not going:
        return f"{text}; nothing more is needed"
    seeds = max((needed[spec] for spec in going if spec in needed), default=0)
    # What is tuned first goes on to as many.
    seeds = seeds or max(needed.values())
    return f"{text}; {len(going)} of {len(needed)} designs go on to {seeds} seeds"


def expected_trials(plan: Plan, effect: float = 1.0) -> float:
    """Trials that a sequential study takes on average, if contrasts stopped independently.

    A design goes on until the last of its contrasts is decided; that a claim may fail by an earlier
    one is left out.

    Args:
        plan: what is declared.
        effect: true distance of every difference from its margin, in standard deviations.
    """
    schedule = plan.schedule
    if schedule is None:
        return float(len(plan.designs) * len(plan.seeds))
    open_after: dict[Hashable, list[float]] = {}
    setting = setting_of(plan)
    claims = [claim for question in plan.study.questions for claim in question.claims]
    families_of = families(claims, setting)
    for question in plan.study.questions:
        labels = {v.label: _design(plan, question, v) for v in question.variants}
        for design in labels.values():
            open_after.setdefault(design, [1.0] * len(schedule.looks))
        tested = {
            (claim.question, claim.hypothesis(contrast)): claim.labels_of(contrast)
            for claim in question.claims
            if claim.kind == "paired" and claim.applies(setting)
            for contrast in claim.contrasts
        }
        for (family, _), compared_labels in tested.items():
            stopped = sequential_prospects(effect, schedule, len(families_of[family])).stopped
            for label in compared_labels:
                chances = zip(open_after[labels[label]], stopped, strict=True)
                open_after[labels[label]] = [all_by * by for all_by, by in chances]
    compared = {
        _design(plan, question, variant)
        for question in plan.study.questions
        for variant in question.variants
        if any(variant.label in claim.labels for claim in question.claims)
    }
    steps = [b - a for a, b in itertools.pairwise(schedule.looks)]
    return sum(
        schedule.looks[0]
        + sum(step * (1.0 - by) for step, by in zip(steps, stopped_by, strict=False))
        if design in compared
        else schedule.looks[0]
        for design, stopped_by in open_after.items()
    )


def _design(plan: Plan, question: Question, variant: Variant) -> Hashable:
    """What is trained of a variant; one that is not tuned yet stands for itself."""
    return (question.name, variant.label) if variant.is_open else plan.spec(variant)


def saved_line(results: StudyResults) -> str:
    """What a sequential study took, beside what it might have taken."""
    plan = results.plan
    at_seeds = sum(bool(variant.at_seeds) for variant in plan.study.variants)
    most = (len(plan.same_at_all_seeds) + at_seeds) * len(results.seeds)
    taken = len(results.trials)
    return (
        f"{taken} of at most {most} trials were trained ({100 * (most - taken) / most:.0f} % saved "
        f"against {len(results.seeds)} seeds of every design)"
    )


def _most(results: StudyResults) -> int:
    counts = [sum(t.spec == spec for t in results.trials) for spec in results.plan.designs]
    return max(counts, default=0)


def _of_claim(verdict: Verdict) -> dict[str, int]:
    """Seeds that a claim still needs of each label."""
    if verdict.outcome in ("holds", "fails"):
        return {}
    needed: dict[str, int] = {}
    for contrast in verdict.contrasts:
        if contrast.stop is not None and contrast.stop.is_open and contrast.outcome != "not judged":
            for label in (*contrast.contrast, *(contrast.against or ())):
                needed[label] = max(needed.get(label, 0), contrast.stop.looks[contrast.stop.taken])
    return needed


def _specs(results: StudyResults, question: Question, label: str) -> tuple[TrialSpec, ...]:
    return results.plan.specs(_variant(question, label))


def _variant(question: Question, label: str) -> Variant:
    return next(variant for variant in question.variants if variant.label == label)
