"""How figures look: one style for all, and for each variant a colour, a marker and a line.

Colours are Okabe and Ito's (2008, Color Universal Design), which people of any colour vision tell
apart; yellow is left out because it fades on white. Variants differ in marker and line as well.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from cnn_ablation.study import Variant

# Stand-ins that a page replaces by its own colours, light or dark (see `inlining.py`).
INK, FAINT, PAPER = "#1a1b1c", "#c9cbcd", "#fefdfc"

# Outcomes of verdicts are told by sign and word; colour only helps.
OUTCOME_SYMBOLS = {"holds": "✓", "fails": "✗", "inconclusive": "?", "not judged": "–"}
OUTCOME_COLOURS = {"holds": "#009e73", "fails": "#d55e00", "inconclusive": "#0072b2"}

_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", INK)
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))

STYLE: Mapping[str, Any] = {
    "figure.dpi": 96,
    "figure.constrained_layout.use": True,
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 9.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "hatch.linewidth": 0.6,
    # A label is what a user called a variant: a dollar sign in it is no formula.
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "cnn_ablation",
}


@dataclasses.dataclass(frozen=True)
class Look:
    """How one variant is drawn wherever it appears.

    Attributes:
        colour: of its line and marker.
        marker: matplotlib's name of its marker.
        line: matplotlib's name or dashes of its line.
        filled: False for the control arm, whose markers are hollow.
    """

    colour: str
    marker: str
    line: Any
    filled: bool = True

    @property
    def face(self) -> str:
        """Colour inside the marker."""
        return self.colour if self.filled else PAPER

    def marks(self) -> dict[str, Any]:
        """Arguments of `Axes.plot` for markers alone."""
        return {
            "color": self.colour,
            "marker": self.marker,
            "markerfacecolor": self.face,
            "markeredgecolor": self.colour,
            "linestyle": "none",
        }

    def strokes(self) -> dict[str, Any]:
        """Arguments of `Axes.plot` for a line with markers."""
        return self.marks() | {"linestyle": self.line}


def looks_of(variants: Sequence[Variant]) -> dict[str, Look]:
    """A look for each label; a control has its variant's, with a hollow marker."""
    looks: dict[str, Look] = {}
    for number, variant in enumerate(v for v in variants if v.control_of is None):
        looks[variant.label] = Look(
            _COLOURS[number % len(_COLOURS)],
            _MARKERS[number % len(_MARKERS)],
            _LINES[number % len(_LINES)],
        )
    for variant in variants:
        if variant.control_of is not None:
            like = looks.get(variant.control_of, Look(INK, "o", "-"))
            looks[variant.label] = dataclasses.replace(like, filled=False)
    return looks
