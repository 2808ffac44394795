"""What several runs come to side by side: settings that differ, figures, differences by seed."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_ablation.claims import Claim, Verdict, judge
from cnn_ablation.claims.declared import kind_of_metric
from cnn_ablation.claims.units import COUNTED, Unit, unit_of
from cnn_ablation.claims.words import p_text
from cnn_ablation.commands.runs import Run
from cnn_ablation.design import TrialSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.errors import as_typed
from cnn_ablation.study.verdicts import setting_of
from cnn_ablation.training.records import TrialRecord

AFTERWARDS = "the comparison was chosen after the results were there"
_FEWEST = 2


@dataclasses.dataclass(frozen=True)
class Entry:
    """One design of one run.

    Attributes:
        run: the run.
        label: what the run calls it; empty where the run has one design alone.
        spec: the design.
        trials: its completed trials by seed.
        seconds: its median time of an epoch in the timing pass; None without one.
    """

    run: Run
    label: str
    spec: TrialSpec
    trials: Mapping[int, TrialRecord]
    seconds: float | None

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"{self.run.name}: {self.label}" if self.label else self.run.name

    def values(self, metric: str) -> dict[Hashable, float | None]:
        """A metric after the last epoch, by seed; an exact one at 0."""
        if kind_of_metric(metric) == "exact":
            return {0: getattr(summarize(self.spec.network), metric)}
        return {s: float(getattr(t.epochs[-1], metric)) for s, t in self.trials.items()}


def entries_of(run: Run) -> list[Entry]:
    """The designs of a run, each under the label that the run shows it with."""
    results = run.results
    single = len(results.plan.designs) == 1
    found = []
    for question in results.study.questions:
        head = f"{question.name}: " if len(results.study.questions) > 1 else ""
        for variant in question.variants:
            own = results.trials_of(variant)
            times = [time.train_seconds for time in results.timings_of(variant)]
            found.append(
                Entry(
                    run,
                    "" if single else f"{head}{variant.label}",
                    results.plan.spec(variant),
                    {trial.seed: trial for trial in own if trial.status == "completed"},
                    statistics.median(times) if times else None,
                )
            )
    return found


def matches(runs: Sequence[Run]) -> list[list[Entry]]:
    """Designs of different runs that belong together: all single ones, or those of one label."""
    groups: dict[str, list[Entry]] = {}
    for run in runs:
        for entry in entries_of(run):
            groups.setdefault(entry.label, []).append(entry)
    return [group for group in groups.values() if len(group) > 1]


def settings_that_differ(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    """Heading, then a row for each setting in which runs differ."""
    single = all(len(run.results.plan.designs) == 1 for run in runs)
    found = [_settings(run, single=single) for run in runs]
    names = dict.fromkeys(name for one in found for name in one)
    rows = [(name, *(one.get(name, "-") for one in found)) for name in names]
    differing = [row for row in rows if len(set(row[1:])) > 1]
    return [("setting", *(run.name for run in runs)), *differing]


def figures(entries: Sequence[Entry], metric: str) -> list[tuple[str, ...]]:
    """Heading, then a row for each design."""
    rows: list[tuple[str, ...]] = [
        (metric, "parameters", "MACs", "seeds", "mean", "sd", "seconds per epoch")
    ]
    for entry in entries:
        summary = summarize(entry.spec.network)
        values = [value for value in entry.values(metric).values() if value is not None]
        rows.append(
            (
                entry.name,
                f"{summary.params:,}",
                f"{summary.macs:,}",
                str(len(entry.trials)),
                _shown(metric, statistics.fmean(values)) if values else "-",
                _shown(metric, statistics.stdev(values)) if len(values) > 1 else "-",
                "-" if entry.seconds is None else f"{entry.seconds:.3g}",
            )
        )
    return rows


def verdicts_of(groups: Sequence[Sequence[Entry]], metric: str) -> list[Verdict]:
    """Of each design that has a counterpart in the first run: how far the others are ahead.

    All are one family, and exploratory: nobody said before what should be compared.
    """
    claims: list[Claim] = []
    table: dict[str, dict[Hashable, float | None]] = {}
    correct: dict[str, dict[Hashable, NDArray[np.bool_]]] = {}
    settings = []
    for first, *others in groups:
        for other in others:
            if not _can_be_paired(first, other, metric):
                continue
            claims.append(_claim(first, other, metric))
            settings.append(setting_of(other.run.results.plan))
            for entry in (first, other):
                table[entry.name] = entry.values(metric)
            if _same_images(first, other):
                correct |= {e.name: bits for e in (first, other) if (bits := _bits(e))}
    if not claims:
        return []
    judged = judge(claims, {metric: table}, settings[0], correct={COUNTED: correct})
    return [dataclasses.replace(verdict, exploratory=(AFTERWARDS,)) for verdict in judged]


def differences(verdicts: Sequence[Verdict], metric: str) -> list[tuple[str, ...]]:
    """Heading, then a row for each comparison: how far apart, and what that says."""
    unit = unit_of(metric)
    rows: list[tuple[str, ...]] = [
        ("compared", "difference", "95 % interval", "p", "seeds", "says")
    ]
    for verdict in verdicts:
        (one,) = verdict.contrasts
        interval = "-" if one.interval is None else " to ".join(unit.bounds(one.interval))
        apart = "-" if one.difference is None else f"{unit.signed(one.difference)}{unit.difference}"
        p_value = "-" if one.p_adjusted is None else p_text(one.p_adjusted).removeprefix("p = ")
        (a, label), (b, _) = _parts(one.a), _parts(one.b)
        pair = f"{label}: {a} - {b}" if label else f"{a} - {b}"
        rows.append((pair, apart, interval, p_value, str(one.n or "-"), _says(verdict, unit)))
    return rows


def _parts(name: str) -> tuple[str, str]:
    """An entry's name as its run's and its label."""
    run, _, label = name.partition(": ")
    return run, label


def _says(verdict: Verdict, unit: Unit) -> str:
    (one,) = verdict.contrasts
    a, _ = _parts(one.a)
    margin = verdict.claim.smallest_interesting
    beyond = f" by more than {unit.margin(margin)}" if margin else ""
    if one.outcome == "holds":
        return f"{a} is {verdict.claim.direction}{beyond}"
    if "equivalent" in one.riders:
        return f"alike within {unit.margin(margin)}"
    if one.outcome == "fails":
        return f"{a} is not {verdict.claim.direction}{beyond}"
    return "open"


def _claim(first: Entry, other: Entry, metric: str) -> Claim:
    """The claim that the one with the better mean is better, which its verdict may take back."""
    smaller = metric.endswith("loss") or kind_of_metric(metric) == "exact"
    means = [
        statistics.fmean(v for v in entry.values(metric).values() if v is not None)
        for entry in (first, other)
    ]
    ahead = (means[1] < means[0]) if smaller else (means[1] > means[0])
    better, worse = (other, first) if ahead else (first, other)
    word = "smaller" if smaller else "greater"
    return Claim(
        name=f"{better.name} over {worse.name}",
        question="compare",
        text=f"{better.name} has a {word} {unit_of(metric).label} than {worse.name}",
        metric=metric,
        contrasts=((better.name, worse.name),),
        direction="smaller" if smaller else "greater",
        kind=kind_of_metric(metric),
        scope=None if _same_images(first, other) or metric != COUNTED else "benchmark",
    )


def _can_be_paired(first: Entry, other: Entry, metric: str) -> bool:
    if kind_of_metric(metric) == "exact":
        return first.values(metric) != other.values(metric)
    return len(first.trials.keys() & other.trials.keys()) >= _FEWEST


def _same_images(first: Entry, other: Entry) -> bool:
    plans = [entry.run.results.plan for entry in (first, other)]
    facts = [p.dataset_of(e.spec.data) for p, e in zip(plans, (first, other), strict=True)]
    tests = [entry.spec.data.test_split for entry in (first, other)]
    return facts[0].version == facts[1].version and tests[0] == tests[1]


def _bits(entry: Entry) -> dict[Hashable, NDArray[np.bool_]] | None:
    if any(trial.test_correct is None for trial in entry.trials.values()):
        return None
    return {s: t.test_correct.bits() for s, t in entry.trials.items() if t.test_correct}


def _settings(run: Run, *, single: bool) -> dict[str, str]:
    plan = run.results.plan
    shown: dict[str, Any] = {**plan.settings()}
    if single:
        shown |= plan.designs[0].values()
    shown["seeds"] = _span(plan.seeds)
    environment = plan.environment
    for name in ("device", "device_kind", "cnn_ablation"):
        shown[name.replace("_", " ")] = environment.get(name)
    return {name: as_typed(value) or "none" for name, value in shown.items()}


def _span(seeds: Sequence[int]) -> str:
    if not seeds or list(seeds) != list(range(seeds[0], seeds[0] + len(seeds))):
        return as_typed(tuple(seeds))
    return f"{seeds[0]}..{seeds[-1]}" if len(seeds) > 1 else str(seeds[0])


def _shown(metric: str, value: float) -> str:
    return f"{100 * value:.2f} %" if metric.endswith("accuracy") else f"{value:.4g}"
