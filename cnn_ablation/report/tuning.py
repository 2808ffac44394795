"""How variants were tuned: what was chosen and at what cost, the validation curves, every trial."""

import csv
import dataclasses
import functools
import io
from collections.abc import Mapping, Sequence
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from cnn_ablation.claims import unit_of
from cnn_ablation.claims.words import plural
from cnn_ablation.errors import as_typed
from cnn_ablation.report.axes import fit_limits, scaled
from cnn_ablation.report.charts import Chart, Panel
from cnn_ablation.report.looks import Look, looks_of
from cnn_ablation.report.tables import NONE, Cell, Table
from cnn_ablation.study import Variant
from cnn_ablation.study.attempts import Attempt, Tuned, TuningResults
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.tuning import is_ordered
from cnn_ablation.study.tuning_words import chosen_values
from cnn_ablation.training.records import TrialRecord

_CAPTION = (
    "Each dot is one seed of tuning after the last epoch, trained on a part of the training images "
    "and evaluated on the rest of them; lines join the means over seeds, and large markers are "
    "the values that were chosen, the larger for the more seeds. No test image has a part in this."
)
_HEADINGS = ("variant", "as given", "chosen")
_COLUMNS = (
    *("question", "variant", "field", "value", "seed", "status"),
    *("validation_loss", "validation_accuracy", "chosen"),
)


@dataclasses.dataclass(frozen=True)
class TuningSection:
    """What a report says of tuning.

    Attributes:
        summary: what was tuned, how, and what it took.
        table: every variant's mean validation figure at every value, and what was chosen.
        chart: the same drawn; None where no value is whole.
    """

    summary: str
    table: Table
    chart: Chart | None


def tuning_section(results: StudyResults) -> TuningSection | None:
    """What a report says of a study's tuning; None where nothing is tuned."""
    tuning = results.tuning
    if tuning is None:
        return None
    return TuningSection(_summary(tuning), _table(tuning), _chart(tuning))


def tuning_csv(tuning: TuningResults) -> str:
    """Every trial of tuning, one row each: these are none of the trials in `results.csv`."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for tuned in tuning.variants:
        for attempt in tuned.attempts:
            for trial in attempt.trials:
                last = trial.epochs[-1] if trial.status == "completed" else None
                figures = (last.test_loss, last.test_accuracy) if last else ("", "")
                value = (tuning.tuning.field, as_typed(attempt.value))
                is_chosen = _is_chosen(tuning, tuned, attempt, trial)
                outcome = (trial.seed, trial.status, *figures, is_chosen)
                writer.writerow((tuned.question, tuned.label, *value, *outcome))
    return file.getvalue()


def _is_chosen(tuning: TuningResults, tuned: Tuned, attempt: Attempt, trial: TrialRecord) -> bool:
    """Whether the value was chosen for a seed of the study that the trial is there for."""
    return any(
        value == attempt.value and trial.seed in tuning.tuning.seeds_for(seed)
        for seed, value in tuned.choices.items()
    )


def _summary(tuning: TuningResults) -> str:
    declared, added = tuning.tuning, ", ".join(map(as_typed, tuning.extensions))
    own = declared.trial_seeds(tuning.seeds)
    seeds = str(own[0]) if len(own) == 1 else f"{own[0]} to {own[-1]}"
    fresh = (
        "What is compared are fresh seeds, trained on all training images at the chosen values: a "
        "verdict speaks for these values, luck of tuning is not in it."
        if declared.once
        else "Each seed of the study has a choice of its own, by tuning seeds of its own, and is "
        "trained at it on all training images: luck of tuning is part of what a verdict speaks for."
    )
    grid = ", ".join(map(as_typed, declared.values))
    extended = (
        f" The best value of some variant lay at the edge, so the grid was extended for all of them"
        f" by {added}."
        if added
        else ""
    )
    edges = [tuned.label for tuned in tuning.variants if tuned.edge]
    at_edge = f" Still at the edge: {', '.join(edges)}." if edges else ""
    return (
        f"Every variant of a tuned arm was tried at the same values of {declared.field} ({grid}) "
        f"with the same seeds ({seeds}), {plural(len(tuning.trials), 'trial')} in all, on "
        f"{100 * (1 - declared.validation):g} % of the training images; the value with the best "
        f"mean {declared.by} on the other {100 * declared.validation:g} % was chosen, of equal "
        f"ones the nearest to the value as given.{extended}{at_edge} {fresh}"
    )


def _table(tuning: TuningResults) -> Table:
    by = f"mean validation {tuning.tuning.by}"
    headings = [*map(Cell, _HEADINGS), *(Cell(as_typed(value)) for value in tuning.grid)]
    rows = tuple(_row(tuning, tuned) for tuned in tuning.variants)
    return Table(f"Tuning {tuning.tuning.field}: {by} at each value", tuple(headings), rows)


def _row(tuning: TuningResults, tuned: Tuned) -> tuple[Cell, ...]:
    edge = {-1: ("lowest tried",), 1: ("highest tried",), 0: ()}[tuned.edge]
    chosen = Cell(NONE) if tuned.is_open else Cell(chosen_values(tuned), edge)
    figures = (_figure(tuning, attempt) for attempt in tuned.attempts)
    return (Cell(tuned.label), Cell(as_typed(tuned.default)), chosen, *figures)


def _figure(tuning: TuningResults, attempt: Attempt) -> Cell:
    lost = [trial.status for trial in attempt.trials if trial.status != "completed"]
    notes = tuple(f"{lost.count(status)} {status}" for status in dict.fromkeys(lost))
    if attempt.score is None:
        return Cell(NONE, notes)
    return Cell(unit_of(tuning.tuning.metric).value(attempt.score), notes)


def _chart(tuning: TuningResults) -> Chart | None:
    """A panel for each question, a line for each of its tuned variants."""
    shown = [tuned for tuned in tuning.variants if any(a.score is not None for a in tuned.attempts)]
    if not shown:
        return None
    questions = dict.fromkeys(tuned.question for tuned in shown)
    labels = dict.fromkeys(tuned.label for tuned in shown)
    looks = looks_of([Variant(label) for label in labels])
    panels = []
    for number, question in enumerate(questions):
        own = [tuned for tuned in shown if tuned.question == question]
        draw = functools.partial(_draw, tuning=tuning, shown=own, looks=looks)
        lines = "; ".join(f"{tuned.label} at {chosen_values(tuned) or 'open'}" for tuned in own)
        alt = f"Validation {tuning.tuning.by} by {tuning.tuning.field} for {lines}"
        panels.append(Panel(f"tuning-{number}", alt, draw, title=question))
    key = tuple(looks.items())
    return Chart("tuning", f"Tuning {tuning.tuning.field}", _CAPTION, tuple(panels), key)


def _draw(
    axes: Axes, *, tuning: TuningResults, shown: Sequence[Tuned], looks: Mapping[str, Look]
) -> None:
    grid = sorted(tuning.grid) if is_ordered(tuning.tuning) else list(tuning.grid)
    is_log = is_ordered(tuning.tuning) and grid[0] > 0
    places = {value: value if is_log else place for place, value in enumerate(grid)}
    metric = tuning.tuning.metric
    every: list[float] = []
    for tuned in shown:
        look, means = looks[tuned.label], []
        known = {a.value: a for a in tuned.attempts if a.score is not None}
        for value in (value for value in grid if value in known):
            figures = scaled(metric, (getattr(t.epochs[-1], metric) for t in known[value].trials))
            axes.plot([places[value]] * len(figures), figures, ".", color=look.colour, alpha=0.5)
            means.append((places[value], fmean(figures), value))
            every += figures
        x, y = [place for place, _, _ in means], [mean for _, mean, _ in means]
        axes.plot(x, y, color=look.colour, linestyle=look.line, linewidth=1.2)
        for place, mean, value in means:
            if value in tuned.chosen:
                # A value that few seeds chose has a small marker.
                share = tuned.chosen[value] / len(tuned.choices)
                axes.plot([place], [mean], **look.marks(), markersize=3 + 6 * share)
    if is_log:
        axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([float(places[value]) for value in grid]))
    axes.xaxis.set_major_formatter(FixedFormatter([as_typed(value) for value in grid]))
    axes.xaxis.set_minor_locator(NullLocator())
    if every:
        fit_limits(axes.set_ylim, every)
    axes.set_xlabel(tuning.tuning.field.replace("_", " "))
    unit = "nats" if tuning.tuning.by == "loss" else "%"
    axes.set_ylabel(f"validation {tuning.tuning.by} ({unit})")
