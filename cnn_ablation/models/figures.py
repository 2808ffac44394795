"""What a trained model looks like, as figures: filters, feature maps, confusion, wrong answers.

Each function returns a `matplotlib.figure.Figure`; `figure.savefig("filters.png")` keeps it, and a
notebook shows it.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from cnn_ablation.models.model import Model
from cnn_ablation.models.scores import Scores

_INCH, _COLUMNS = 1.1, 8
_MOST_MAPS = 32
_BLUES, _DIVERGING, _GREY = "Blues", "RdBu_r", "gray"
_MANY_CLASSES = 15


def filters(model: Model) -> Figure:
    """The first convolution's kernels: red is positive, blue negative, white zero.

    Of images with several channels a kernel is the mean over them.
    """
    kernels_HWCO = model.first_filters
    kernels_OHW = np.moveaxis(kernels_HWCO.mean(axis=2), -1, 0)[:_MOST_MAPS]
    largest = float(np.abs(kernels_OHW).max()) or 1.0
    figure, axes = _grid(len(kernels_OHW), "First convolution's kernels")
    for number, (place, kernel_HW) in enumerate(zip(axes, kernels_OHW, strict=False)):
        shown = place.imshow(kernel_HW, cmap=_DIVERGING, vmin=-largest, vmax=largest)
        place.set_title(str(number), fontsize=8)
    bar = figure.colorbar(shown, ax=axes, shrink=0.8)
    bar.ax.tick_params(labelsize=7)
    return figure


def feature_maps(model: Model, image: Any) -> Figure:
    """One image and what each block makes of it: a row a block, its first maps.

    Raises:
        InputError: the image does not fit the model.
    """
    maps = model.feature_maps(image)
    columns = 1 + min(_COLUMNS, max(one.shape[-1] for one in maps))
    figure = Figure(figsize=(_INCH * columns, _INCH * len(maps) + 0.4), layout="constrained")
    grid = np.atleast_2d(figure.subplots(len(maps), columns))
    for place in grid.flat:
        place.axis("off")
    _show_image(grid[0, 0], np.asarray(image))
    grid[0, 0].set_title("image", fontsize=8)
    for row, one_HWC in enumerate(maps):
        height, width, features = one_HWC.shape
        for column in range(min(features, columns - 1)):
            grid[row, column + 1].imshow(one_HWC[..., column], cmap=_GREY)
        grid[row, 1].set_title(f"block {row + 1}: {height} x {width}", fontsize=8, loc="left")
    return figure


def confusion(scores: Scores) -> Figure:
    """How many images of each class (rows) were answered with each (columns)."""
    table_KK = scores.confusion
    count = len(scores.class_names)
    side = max(3.5, 0.5 * count + 1.5)
    figure = Figure(figsize=(side, side), layout="constrained")
    place = figure.subplots()
    # Wrong answers are few: on a scale of their own they can be seen.
    shares_KK = table_KK / np.maximum(table_KK.sum(axis=1, keepdims=True), 1)
    place.imshow(np.sqrt(shares_KK), cmap=_BLUES, vmin=0, vmax=1)
    places = range(count)
    place.set_xticks(places, scores.class_names, rotation=45, ha="right", fontsize=8)
    place.set_yticks(places, scores.class_names, fontsize=8)
    place.set_xlabel("answer")
    place.set_ylabel("class")
    place.set_title(f"{scores.accuracy:.2%} of {len(scores.labels_N):,} right", fontsize=9.5)
    for true in places if count <= _MANY_CLASSES else ():
        for answer in places:
            if table_KK[true, answer]:
                colour = "white" if shares_KK[true, answer] > 0.3 else "black"
                text = f"{table_KK[true, answer]:,}"
                place.text(answer, true, text, ha="center", va="center", color=colour, fontsize=7)
    return figure


def by_class(scores: Scores) -> Figure:
    """Share of right answers among the images of each class."""
    shares = scores.accuracy_by_class
    figure = Figure(figsize=(6.0, 0.28 * len(shares) + 1.0), layout="constrained")
    place = figure.subplots()
    names, values = list(shares), [100 * share for share in shares.values()]
    bars = place.barh(names, values, color="#0072b2")
    labels = [f"{value:.1f}" for value in values]
    place.bar_label(bars, labels, label_type="center", color="white", fontsize=8)
    place.invert_yaxis()
    place.set_xlim(0, 100)
    place.set_xlabel("right answers in %")
    place.axvline(100 * scores.accuracy, color="#d55e00", linewidth=1)
    place.set_title(f"All: {scores.accuracy:.2%} (line)", fontsize=9.5)
    place.tick_params(labelsize=8)
    for side in ("top", "right"):
        place.spines[side].set_visible(False)
    return figure


def wrong(scores: Scores, images_NHWC: np.ndarray, most: int = 24) -> Figure:
    """Images that were answered wrongly, the most confident answers first."""
    numbers = scores.wrong[:most]
    if not len(numbers):
        figure = Figure(figsize=(4, 1), layout="constrained")
        figure.text(0.5, 0.5, "no image was answered wrongly", ha="center", va="center")
        return figure
    title = f"{len(scores.wrong):,} of {len(scores.labels_N):,} wrong: class, answer (probability)"
    figure, axes = _grid(len(numbers), title, inch=1.35)
    for place, number in zip(axes, numbers, strict=False):
        _show_image(place, images_NHWC[number])
        true, answer = scores.labels_N[number], scores.predicted_N[number]
        share = scores.confidence_N[number]
        names = f"{scores.class_names[true]}, {scores.class_names[answer]} ({share:.0%})"
        place.set_title(names, fontsize=7)
    return figure


def _grid(count: int, title: str, inch: float = _INCH) -> tuple[Figure, Sequence[Axes]]:
    columns = min(count, _COLUMNS)
    rows = math.ceil(count / columns)
    size = (max(inch * columns, 4.5), inch * rows + 0.5)
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(wspace=0.06, hspace=0.06))
    figure.suptitle(title, fontsize=9.5)
    axes = list(np.atleast_1d(figure.subplots(rows, columns)).flat)
    for place in axes:
        place.axis("off")
    return figure, axes


def _show_image(place: Axes, image: np.ndarray) -> None:
    image_HWC = image if image.ndim == 3 else image[..., np.newaxis]
    grey = image_HWC.shape[-1] != 3
    top = 255 if image_HWC.dtype.kind in "iu" else 1
    place.imshow(image_HWC[..., 0] if grey else image_HWC, cmap=_GREY, vmin=0, vmax=top)
