"""The layer table of a network, worked out from its spec alone: no device, no JAX."""

import dataclasses
from collections.abc import Iterator

from cnn_ablation.design.network import NetworkSpec
from cnn_ablation.display.text import format_table
from cnn_ablation.stages import STAGES, Layer, Map, head


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
    before = Map.of_image(network.image_shape)
    for index, block in enumerate(network.blocks):
        seen = before
        for stage in STAGES:
            after = stage.after(block, before)
            layer = stage.layer(block, index, seen, before, after)
            if layer is not None:
                yield layer
            before = after
    yield from head.layers(network, before)


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
