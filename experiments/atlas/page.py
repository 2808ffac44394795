"""What is published of the atlas: the generated parts of its page, from the stored trials alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cnn_ablation.claims import Verdict
from cnn_ablation.claims.sentences import telling_contrast
from cnn_ablation.display.text import markdown_table
from cnn_ablation.report import write_effects
from cnn_ablation.study.arms import ARMS
from cnn_ablation.system.files import write_text
from experiments.atlas.cost import cost_table
from experiments.atlas.states import State

PAGE = Path(__file__).parents[2] / "docs" / "atlas.md"
# Every choice of a part against its base, tuned, a column for each dataset.
PICTURES = {
    part: PAGE.parent / "pictures" / f"atlas-{part}.png" for part in ("choices", "choices_small")
}
NAMES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}


def parts(states: Sequence[State]) -> dict[str, str]:
    """The generated parts of the page, by name."""
    return {
        "states": _states(states),
        "claims": _claims(states),
        "cost": cost_table(states),
    }


def filled(page: str, own: Mapping[str, str]) -> str:
    """A page with its generated parts put anew between their marks.

    Raises:
        ValueError: the page lacks the marks of a part.
    """
    for name, text in own.items():
        begin, end = (
            f"<!-- {name}: python -m experiments.atlas --page -->",
            f"<!-- end of {name} -->",
        )
        before, _, rest = page.partition(begin)
        _, marked, after = rest.partition(end)
        if not marked:
            raise ValueError(f"the page has no part {name}")
        page = f"{before}{begin}\n{text}\n{end}{after}"
    return page


def write(states: Sequence[State]) -> Iterator[Path]:
    """Brings the page and its pictures up to date; those that were written."""
    write_text(PAGE, filled(PAGE.read_text(), parts(states)))
    yield PAGE
    for part, picture in PICTURES.items():
        results = [s.results for s in states if s.entry.part == part and s.is_done and s.results]
        if results:
            write_effects(results, picture, tuned_alone=True)
            yield picture


def _states(states: Sequence[State]) -> str:
    rows = [["study", *NAMES.values()]]
    found: dict[str, dict[str, str]] = {}
    for state in states:
        found.setdefault(state.entry.question, {})[state.entry.dataset] = state.words
    rows += [[study, *(of.get(name, "–") for name in NAMES)] for study, of in found.items()]
    return markdown_table(rows, figures=False)


def _claims(states: Sequence[State]) -> str:
    rows = [["study", "claim", "arm", "dataset", "verdict", "difference", "seeds"]]
    for state in sorted(states, key=lambda state: state.entry.question):
        rows += [_row(state, verdict) for verdict in state.verdicts]
    return markdown_table(rows, figures=False)


def _row(state: State, verdict: Verdict) -> list[str]:
    arm, text = _arm(verdict)
    contrast, unit = telling_contrast(verdict), verdict.claim.unit
    if contrast is None or contrast.difference is None:
        shown, seeds = "–", "–"
    else:
        bounds = f" [{', '.join(unit.bounds(contrast.interval))}]" if contrast.interval else ""
        shown = f"{contrast.named}: {unit.signed(contrast.difference)}{bounds}{unit.difference}"
        seeds = str(contrast.n)
    outcome = ", ".join([f"**{verdict.outcome}**", *verdict.qualifiers])
    return [state.entry.question, text, arm, NAMES[state.entry.dataset], outcome, shown, seeds]


def _arm(verdict: Verdict) -> tuple[str, str]:
    """The arm that a claim is of, and the claim without the arm's words."""
    for arm in ARMS.values():
        if verdict.claim.text.startswith(f"{arm.words}, "):
            return arm.name, verdict.claim.text[len(arm.words) + 2 :]
    return "as given", verdict.claim.text
