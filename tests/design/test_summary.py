"""The layer table: against the notebook's published tables, against Flax, and by hand."""

import json
from pathlib import Path
from typing import Any

import jax
import pytest
from hypothesis import given, settings
from strategies import network_specs

from cnn_ablation.design import NetworkSpec
from cnn_ablation.design.summary import format_summary, summarize
from cnn_ablation.network.model import Network

PUBLISHED = Path(__file__).parents[2] / "cnn_ablation" / "studies" / "notebook_results.json"
ROWS = json.loads(PUBLISHED.read_text())["rows"]


@pytest.mark.parametrize("row", ROWS, ids=[f"cell{row['cell']}" for row in ROWS])
def test_every_layer_of_the_notebook(row: dict[str, Any]) -> None:
    network = NetworkSpec(
        kernel_size=tuple(row["kernel_sizes"]),
        stride=tuple(row["strides"]),
        padding=tuple(row["padding"]),
        pool=row["pool"] or 1,
    )
    summary = summarize(network)
    ours = [(list(layer.output_shape), layer.params) for layer in summary.layers]
    assert ours == [(layer["output_shape"], layer["params"]) for layer in row["layers"]]
    assert summary.params == row["params"]


def test_all_17_rows_are_there() -> None:
    assert [row["cell"] for row in ROWS] == list(range(1, 18))


@given(network_specs())
@settings(max_examples=40)
def test_parameters_and_shapes_are_those_that_flax_makes(network: NetworkSpec) -> None:
    images = jax.ShapeDtypeStruct((2, *network.image_shape), "float32")
    module = Network(network, "xla")
    logits, variables = jax.eval_shape(module.init_with_output, jax.random.key(0), images)
    flax_counts = {
        name: sum(leaf.size for leaf in jax.tree.leaves(layer))
        for name, layer in variables["params"].items()
    }
    summary = summarize(network)
    assert {layer.name: layer.params for layer in summary.layers if layer.params} == flax_counts
    assert logits.shape == (2, *summary.layers[-1].output_shape)


def test_macs_and_receptive_fields_by_hand() -> None:
    layers = {layer.name: layer for layer in summarize(NetworkSpec(pool=(2, 1))).layers}
    # 28 -> 26 -> pool 13 -> 11.
    assert layers["conv_0"].macs == 26 * 26 * 9 * 1 * 8
    assert layers["conv_1"].macs == 11 * 11 * 9 * 8 * 16
    assert layers["hidden"].macs == 11 * 11 * 16 * 32
    assert layers["pool_0"].macs == 0
    assert layers["conv_0"].receptive_field == (3, 3)
    assert layers["pool_0"].receptive_field == (4, 4)
    assert layers["conv_1"].receptive_field == (8, 8)
    # The last map's 11 units step by 2 pixels and see 8 each: 10 * 2 + 8, the whole image.
    assert layers["hidden"].receptive_field == (28, 28)


def test_receptive_field_of_the_dense_layers_leaves_out_what_strides_skip() -> None:
    layers = {layer.name: layer for layer in summarize(NetworkSpec(stride=5)).layers}
    assert layers["conv_1"].receptive_field == (13, 13)
    assert layers["logits"].receptive_field == (13, 13)


def test_table_holds_every_layer_and_the_totals() -> None:
    text = format_summary(summarize(NetworkSpec()))
    assert "conv_1   24 x 24 x 16       1,168" in text
    assert text.splitlines()[-1].split()[:2] == ["total", "296,522"]
