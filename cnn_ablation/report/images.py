"""Where a difference comes from: the images and classes on which designs differ.

Shape convention: S seeds, N test images, H height, W width, C channels.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from cnn_ablation.claims import Verdict
from cnn_ablation.claims.units import COUNTED
from cnn_ablation.data import LabeledImages
from cnn_ablation.inference import t_interval
from cnn_ablation.report.charts import Chart, Panel
from cnn_ablation.report.tables import Cell, Table
from cnn_ablation.study import Question
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import correct_images

_SHOWN, _CONTRASTS, _MOST_CLASSES = 8, 4, 20
_NEARLY = 0.1
_CAPTION = (
    "In each row the test images on which two designs differ most: below an image its class, and "
    "of how many trials of the first and of the second design it was answered rightly. They are "
    "picked for their difference, so that luck is among them."
)
_HARD = " The last row has those that fewest trials of all designs answer rightly."


@dataclasses.dataclass(frozen=True)
class Answered:
    """Which test images each trial of a question's variants got right.

    Attributes:
        tests: the images and their classes.
        correct: variant's label -> bits, shape (S, N).
    """

    tests: LabeledImages
    correct: Mapping[str, NDArray[np.bool_]]

    @classmethod
    def of(
        cls, results: StudyResults, question: Question, tests: LabeledImages | None
    ) -> Self | None:
        """What is known of a question; None where the images or all bits are missing."""
        if tests is None:
            return None
        size = len(tests.labels_N)
        found = {
            label: np.stack(list(trials.values()))
            for label, trials in correct_images(results, question).items()
            if trials and all(bits.size == size for bits in trials.values())
        }
        return cls(tests, found) if found else None


def class_table(caption: str, answered: Answered, labels: Sequence[str]) -> Table | None:
    """Accuracy by class: mean over seeds with its t interval, in percent."""
    classes = np.unique(answered.tests.labels_N)
    shown = [label for label in labels if label in answered.correct]
    if not shown or len(classes) > _MOST_CLASSES:
        return None
    headings = (Cell("variant"), *(Cell(f"class {number}, %") for number in classes))
    rows = []
    for label in shown:
        cells = [_class_cell(answered, label, number) for number in classes]
        rows.append((Cell(label), *cells))
    return Table(caption, headings, tuple(rows))


def _class_cell(answered: Answered, label: str, number: int) -> Cell:
    of_class_N = answered.tests.labels_N == number
    shares_S = 100.0 * answered.correct[label][:, of_class_N].mean(axis=1)
    interval = t_interval(shares_S)
    # Shares end at 0 and 100 %, t intervals do not.
    ends = (max(0.0, interval.low), min(100.0, interval.high)) if interval else ()
    bounds = (f"[{ends[0]:.2f}, {ends[1]:.2f}]",) if ends else ()
    return Cell(f"{shares_S.mean():.2f}", bounds)


def image_chart(name: str, verdicts: Sequence[Verdict], answered: Answered) -> Chart | None:
    """The images that contrasts differ on and those that nearly all get wrong, as pictures."""
    pairs = dict.fromkeys(
        contrast.contrast
        for verdict in verdicts
        if verdict.claim.metric == COUNTED
        for contrast in verdict.contrasts
        if set(contrast.contrast) <= answered.correct.keys()
    )
    panels = [
        panel
        for number, (a, b) in enumerate(list(pairs)[:_CONTRASTS])
        if (panel := _difference_panel(f"contrast-{number}", a, b, answered))
    ]
    hard = _hard_panel(answered)
    if not panels and hard is None:
        return None
    caption = _CAPTION if hard is None else _CAPTION + _HARD
    return Chart(
        name,
        "Where the difference comes from",
        caption,
        (*panels, *([hard] if hard else ())),
        columns=1,
    )


def _difference_panel(name: str, a: str, b: str, answered: Answered) -> Panel | None:
    shares_N = answered.correct[a].mean(axis=0), answered.correct[b].mean(axis=0)
    difference_N = np.abs(shares_N[0] - shares_N[1])
    # A stable order, so that equal results give equal pictures.
    order_N = np.argsort(-difference_N, kind="stable")[:_SHOWN]
    picked = [int(image) for image in order_N if difference_N[image] > 0.0]
    if not picked:
        return None
    both = answered.correct[a], answered.correct[b]
    notes = [
        f"{answered.tests.labels_N[image]}: "
        + ", ".join(f"{int(bits_SN[:, image].sum())}/{len(bits_SN)}" for bits_SN in both)
        for image in picked
    ]
    alt = f"Test images on which {a} and {b} differ most, by class and trials right: "
    return _panel(name, f"{a} − {b}", alt, picked, notes, answered)


def _hard_panel(answered: Answered) -> Panel | None:
    every_SN = np.concatenate(list(answered.correct.values()))
    shares_N = every_SN.mean(axis=0)
    order_N = np.argsort(shares_N, kind="stable")[:_SHOWN]
    picked = [int(image) for image in order_N if shares_N[image] <= _NEARLY]
    if not picked:
        return None
    notes = [
        f"{answered.tests.labels_N[image]}: {int(every_SN[:, image].sum())}/{len(every_SN)}"
        for image in picked
    ]
    alt = "Test images that nearly all trials get wrong, by class and trials right: "
    return _panel("hard", "Nearly all get these wrong", alt, picked, notes, answered)


def _panel(
    name: str, title: str, alt: str, picked: list[int], notes: list[str], answered: Answered
) -> Panel:
    images_NHWC = answered.tests.images_NHWC[picked]
    draw = functools.partial(_draw, images_NHWC=images_NHWC, notes=notes)
    return Panel(name, alt + "; ".join(notes), draw, height=1.1, title=title)


def _draw(axes: Axes, *, images_NHWC: NDArray[np.uint8], notes: Sequence[str]) -> None:
    """Images side by side, each with its note below."""
    height, width, channels = images_NHWC.shape[1:]
    gap = max(1, width // 3)
    strip_HWC = np.full((height, _SHOWN * (width + gap) - gap, channels), 255, np.uint8)
    for number, image_HWC in enumerate(images_NHWC):
        left = number * (width + gap)
        strip_HWC[:, left : left + width] = 255 - image_HWC if channels == 1 else image_HWC
        axes.text(
            left + width / 2, height * 1.08, notes[number], ha="center", va="top", fontsize=6.5
        )
    shown = strip_HWC[..., 0] if channels not in (3, 4) else strip_HWC
    axes.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
