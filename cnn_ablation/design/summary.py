"""The layer table of a network, worked out from its spec alone: no device, no JAX."""

import dataclasses
from collections.abc import Iterator

from cnn_ablation.design.spec import NetworkSpec
from cnn_ablation.display.text import format_table
from cnn_ablation.stages.geometry import pool_output_size


@dataclasses.dataclass(frozen=True)
class Layer:
    """One row of the layer table.

    Attributes:
        name: the layer's name, which for layers with parameters is also their key in `params`.
        output_shape: shape for one example: (height, width, channels) or (units,).
        params: number of trained parameters.
        macs: multiply-accumulates of one example's forward pass; additions of biases not counted.
        receptive_field: (height, width) in pixels of the image region that one unit can see.
    """

    name: str
    output_shape: tuple[int, ...]
    params: int
    macs: int
    receptive_field: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Summary:
    """A network's layers and their totals."""

    layers: tuple[Layer, ...]

    @property
    def params(self) -> int:
        """Trained parameters of the whole network."""
        return sum(layer.params for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one example's forward pass."""
        return sum(layer.macs for layer in self.layers)


def summarize(network: NetworkSpec) -> Summary:
    """Works out every layer's shape, parameters, multiply-accumulates and receptive field."""
    return Summary(tuple(_layers(network)))


def _layers(network: NetworkSpec) -> Iterator[Layer]:
    view = _View(network.image_shape[:2])
    height, width, channels = network.image_shape
    for index, block in enumerate(network.blocks):
        view.widen(block.kernel_size, block.stride)
        height, width = block.conv_size(height), block.conv_size(width)
        weights = block.kernel_size**2 * channels * block.features
        channels = block.features
        shape = (height, width, channels)
        macs = height * width * weights
        yield Layer(f"conv_{index}", shape, weights + channels, macs, view.seen())
        if block.pool > 1:
            view.widen(block.pool, block.pool)
            height, width = (pool_output_size(size, block.pool) for size in (height, width))
            yield Layer(f"pool_{index}", (height, width, channels), 0, 0, view.seen())
    units, seen = height * width * channels, view.seen((height, width))
    yield Layer("flatten", (units,), 0, 0, view.seen())
    for name, outputs in (("hidden", network.hidden), ("logits", network.classes)):
        yield Layer(name, (outputs,), (units + 1) * outputs, units * outputs, seen)
        units = outputs


class _View:
    """The receptive field while it grows, worked out as in Araujo et al. 2019 (Distill)."""

    def __init__(self, image_size: tuple[int, int]) -> None:
        self._image_size, self._side, self._step = image_size, 1, 1

    def widen(self, window: int, stride: int) -> None:
        self._side += (window - 1) * self._step
        self._step *= stride

    def seen(self, map_size: tuple[int, int] = (1, 1)) -> tuple[int, int]:
        """Pixels that a patch of `map_size` units sees, at most the whole image."""
        height, width = (self._side + (units - 1) * self._step for units in map_size)
        return min(height, self._image_size[0]), min(width, self._image_size[1])


def summary_rows(summary: Summary) -> list[tuple[str, ...]]:
    """The layer table: headings, a row a layer and a row of totals."""
    rows: list[tuple[str, ...]] = [
        ("layer", "output shape", "parameters", "MACs", "receptive field")
    ]
    for layer in summary.layers:
        shape, seen = (" x ".join(map(str, s)) for s in (layer.output_shape, layer.receptive_field))
        rows.append((layer.name, shape, f"{layer.params:,}", f"{layer.macs:,}", seen))
    rows.append(("total", "", f"{summary.params:,}", f"{summary.macs:,}", ""))
    return rows


def format_summary(summary: Summary) -> str:
    """The layer table as text, one line per layer and a line of totals."""
    return format_table(summary_rows(summary))
