"""The notebook's published figures, put beside the variants that they are of."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from cnn_ablation.design import NetworkSpec, TrainingSpec
from cnn_ablation.study import Published, Variant

# Keras's default rate, at which the notebook ran: the one setting in which it differs from ours.
AS_PUBLISHED = TrainingSpec(learning_rate=0.001, epochs=2)

_ROWS = json.loads(Path(__file__).with_name("notebook_results.json").read_text())["rows"]


def with_published(part: str, variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
    """Gives each variant what the notebook published of that design in one of its parts.

    Args:
        part: kernel_size, stride, padding or pooling.
        variants: the part's variants; those that the part did not train stay without figures.
    """
    cells = {_network(row): _published(row) for row in _ROWS if row["part"] == part}
    return tuple(
        dataclasses.replace(variant, published=cells.get(variant.network)) for variant in variants
    )


def _network(row: dict[str, Any]) -> NetworkSpec:
    return NetworkSpec(
        kernel_size=tuple(row["kernel_sizes"]),
        stride=tuple(row["strides"]),
        padding=tuple(row["padding"]),
        pool=row["pool"] or 1,
    )


def _published(row: dict[str, Any]) -> Published:
    return Published(
        test_loss=tuple(epoch["test_loss"] for epoch in row["epochs"]),
        test_accuracy=tuple(epoch["test_accuracy"] for epoch in row["epochs"]),
        seconds=row["seconds"],
        setting="Adadelta at 0.001",
    )
