"""What the top of a report says: verdicts with their most telling numbers, and what words mean."""

import dataclasses
from collections.abc import Sequence

from cnn_ablation.claims import Verdict, unit_of
from cnn_ablation.claims.sentences import telling_contrast
from cnn_ablation.report.axes import ACCURACY
from cnn_ablation.report.measures import Measured
from cnn_ablation.report.tables import NONE, spread_cell

MEANINGS = {
    "holds": "in every comparison the claimed difference is shown to be larger than the margin, by "
    "its interval and by the exact test",
    "fails": "in one comparison or more it is shown to be smaller than the margin",
    "inconclusive": "the seeds can neither show nor rule out what is claimed",
    "not judged": "the claim speaks of another setting, or there are no data",
    "reversed": "shown to be the other way round",
    "equivalent": "shown to be smaller than the margin either way",
    "exploratory": "no test of what was declared before the first trial",
}
_INTERVAL = "a 95 % interval of the mean difference over the seeds; all intervals of a question "
_INTERVAL += "cover at once"


@dataclasses.dataclass(frozen=True)
class Headline:
    """A verdict in numbers, for one row of a table.

    Attributes:
        pair: the comparison that tells most, `k3,3 − k5,5`; empty without data.
        difference: its difference and interval with the unit, or why it was not judged.
        others: how many comparisons there are, and how they came out.
    """

    pair: str
    difference: str
    others: str


def headline_of(verdict: Verdict) -> Headline:
    """The row of a verdict."""
    telling, unit = telling_contrast(verdict), verdict.claim.unit
    if telling is None or telling.difference is None:
        first, _, more = verdict.reason.partition("; ")
        return Headline("", f"{first} and others" if more else first or NONE, "")
    if telling.comparison is None and telling.mean_a is not None and telling.mean_b is not None:
        figures = f"{unit.value(telling.mean_a)} against {unit.value(telling.mean_b)}"
        return Headline(telling.named, figures, _others(verdict))
    text = unit.signed(telling.difference)
    if telling.interval is not None:
        text += f" [{', '.join(unit.bounds(telling.interval))}]"
    text = f"{text}{unit.difference}".replace("-", "−")
    return Headline(telling.named, text, _others(verdict))


def _others(verdict: Verdict) -> str:
    """Which of the comparisons it is: how many came out so, of how many."""
    total, same = len(verdict.contrasts), len(verdict.deciding)
    if total == 1:
        return ""
    if verdict.outcome == "holds":
        return f"narrowest of {total}"
    return f"{same} of {total} {'open' if verdict.outcome == 'inconclusive' else 'fail'}"


def range_sentence(arm: Sequence[Measured]) -> str:
    """What the variants of a question reach, from the least to the most; empty without data."""
    reached = [(spread.mean, m) for m in arm if (spread := m.final(ACCURACY)) is not None]
    if not reached:
        return ""
    (_, least), (_, most) = (pick(reached, key=lambda one: one[0]) for pick in (min, max))
    figures = [spread_cell(ACCURACY, m.final(ACCURACY)).text.split(" ")[0] for m in (least, most)]
    params = sorted(m.summary.params for _, m in reached)
    sizes = f"{params[0]:,}" if params[0] == params[-1] else f"{params[0]:,} to {params[-1]:,}"
    accuracy = unit_of(ACCURACY).label
    if len(reached) == 1:
        return f"{accuracy.capitalize()} {figures[0]} %; {sizes} parameters."
    return (
        f"Mean {accuracy} from {figures[0]} % ({least.label}) to {figures[1]} % "
        f"({most.label}); {sizes} parameters."
    )


def words_of(verdicts: Sequence[Verdict]) -> tuple[tuple[str, str], ...]:
    """The words that the verdicts use, and what they mean."""
    used = {verdict.outcome for verdict in verdicts} | {
        rider for verdict in verdicts for rider in verdict.riders
    }
    if any(verdict.exploratory for verdict in verdicts):
        used.add("exploratory")
    found = [(word, meaning) for word, meaning in MEANINGS.items() if word in used]
    if any(contrast.interval for verdict in verdicts for contrast in verdict.contrasts):
        found.append(("[low, high]", _INTERVAL))
    return tuple(found)
