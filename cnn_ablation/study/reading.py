"""From the lines of a study's journals to what it has found."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cnn_ablation.design import TrialSpec
from cnn_ablation.study.ledger import Ledger
from cnn_ablation.study.lines import timed_spec
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.resolving import resolve
from cnn_ablation.study.results import StudyResults, Timing
from cnn_ablation.training.records import FINISHED, TrialRecord


def results_of(
    plan: Plan,
    trial_lines: Sequence[dict[str, Any]],
    rounds: Sequence[dict[str, Any]],
    ledger: Ledger | None,
) -> StudyResults:
    """What a study has found: of each trial of the plan the line that counts, and its rounds.

    Args:
        plan: what is declared; that of the result holds what tuning has chosen.
        trial_lines: lines of `trials.jsonl`.
        rounds: lines of `timings.jsonl`.
        ledger: what was declared before the first trial.
    """
    by_id = _one_line_a_trial(trial_lines)

    def find(spec: TrialSpec, seed: int) -> TrialRecord | None:
        line = by_id.get(plan.trial_id(spec, seed))
        return None if line is None else TrialRecord.from_json({**line, "seed": seed}, spec)

    resolved, tuning = resolve(plan, find)
    found = (find(spec, seed) for spec, seed in resolved.trials())
    trials = tuple(trial for trial in found if trial is not None)
    timings = tuple(_timings(plan, timed_designs(resolved, trials), rounds))
    return StudyResults(resolved, trials, timings, ledger, tuning)


def _one_line_a_trial(lines: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The line that counts for each trial: the first that finished it, else its last failure."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        earlier = found.get(line["trial_id"])
        if earlier is None or earlier["status"] not in FINISHED:
            found[line["trial_id"]] = line
    return found


def timed_designs(plan: Plan, trials: Iterable[TrialRecord]) -> set[TrialSpec]:
    """The designs of which a trial was completed; of a variant that has several the first."""
    found = {trial.spec for trial in trials if trial.status == "completed"}
    return {spec for spec in found if plan.labels(spec)}


def _timings(
    plan: Plan, designs: set[TrialSpec], rounds: Sequence[dict[str, Any]]
) -> Iterable[Timing]:
    for number, line in enumerate(most_rounds(complete_rounds(plan, designs, rounds)), start=1):
        for time in line["times"]:
            spec = timed_spec(plan, time)
            if spec is not None and spec in designs:
                yield Timing(spec, number, time["train_seconds"], time["eval_seconds"])


def complete_rounds(
    plan: Plan, designs: set[TrialSpec], rounds: Sequence[dict[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """By machine, the rounds that timed all of some designs."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in rounds:
        if designs <= {timed_spec(plan, time) for time in line["times"]}:
            found.setdefault(machine_key(line["machine"]), []).append(line)
    return found


def most_rounds(rounds: Mapping[str, Sequence[dict[str, Any]]]) -> Sequence[dict[str, Any]]:
    """The rounds of the machine that has most of them, the earlier one of equals."""
    return max(rounds.values(), key=len, default=())


def machine_key(machine: Mapping[str, Any]) -> str:
    """A machine as one text."""
    return json.dumps(machine, sort_keys=True)
