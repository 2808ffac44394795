"""Makes keras_options.json with real Keras: every deterministic option of a network.

Run from the repository root, in an environment of its own (the package does not need Keras):

    pip install keras==3.15.1 jax==0.10.2 numpy==2.4.6
    KERAS_BACKEND=jax python tests/golden/make_keras_options.py

Each case is a small network, trained for 20 steps of plain SGD from parameters that NumPy draws;
kept are the logits before and after, in evaluation, and the loss of every step. `counts` are 30
random networks with the number of parameters that Keras trains.
"""

from __future__ import annotations

import itertools
import json
from typing import Any

import keras
import numpy as np
from keras_golden import IMAGE_SIZE, Case
from keras_options import BASE, LEARNING_RATE, OPTIONS_FILE, STEPS, batch, initial_params

LOGITS_OF = 2  # examples whose logits are kept
DEFAULTS: dict[str, Any] = {
    "kernel_size": 3,
    "stride": 1,
    "padding": "valid",
    "pool": 1,
    "activation": "relu",
    "norm": "none",
    "norm_momentum": 0.99,
    "norm_epsilon": 1e-3,
    "norm_groups": 8,
    "pool_kind": "max",
    "dilation": 1,
    "groups": 1,
    "bias": True,
    "residual": False,
}
ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "none")
CASES: dict[str, dict[str, Any]] = {
    "dilation": {"dilation": 2},
    "dilation_same": {"dilation": [1, 3], "padding": "same"},
    "groups": {"groups": [1, 2]},
    "depthwise": {"groups": [1, 4], "kernel_size": 5, "padding": "same"},
    "no_bias": {"bias": False},
    **{f"activation_{name}": {"activation": name} for name in ACTIVATIONS},
    "batch_norm": {"norm": "batch"},
    "batch_norm_quick": {"norm": "batch", "norm_momentum": 0.8, "norm_epsilon": 1e-5},
    "layer_norm": {"norm": "layer"},
    "group_norm": {"norm": "group", "norm_groups": 2},
    "average_pool": {"pool_kind": "avg"},
    "average_pool_3": {"pool_kind": "avg", "pool": [3, 2], "padding": "same"},
    "global_avg": {"head": "global_avg"},
    "global_max": {"head": "global_max"},
    "no_hidden": {"hidden": []},
    "two_hidden": {"hidden": [24, 16], "activation": "tanh"},
    "residual": {"features": [4, 4], "residual": True, "padding": "same"},
    "residual_stride": {"residual": True, "padding": "same", "stride": 2, "pool": 1},
    "together": {
        "features": [4, 8, 8],
        "residual": [False, True, True],
        "padding": "same",
        "norm": ["batch", "group", "layer"],
        "norm_groups": 4,
        "activation": ["gelu", "silu", "elu"],
        "groups": [1, 4, 2],
        "dilation": [2, 1, 1],
        "pool_kind": "avg",
        "pool": [1, 2, 2],
        "bias": False,
        "head": "global_avg",
        "hidden": [12],
    },
}


def blocks_of(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """A spec's blocks, each with all of its fields."""
    count = len(spec["features"])
    columns = {name: spec.get(name, default) for name, default in DEFAULTS.items()}
    columns["features"] = spec["features"]
    return [
        {name: v[index] if isinstance(v, list) else v for name, v in columns.items()}
        for index in range(count)
    ]


def build(spec: dict[str, Any], image_shape: tuple[int, ...], classes: int) -> keras.Model:
    """The network of a spec as Keras's documentation writes it."""
    image = x = keras.layers.Input(image_shape)
    blocks = blocks_of(spec)
    for index, block in enumerate(blocks):
        x = add_block(x, block, index)
    heads = {
        "flatten": keras.layers.Flatten,
        "global_avg": keras.layers.GlobalAveragePooling2D,
        "global_max": keras.layers.GlobalMaxPooling2D,
    }
    x = heads[spec.get("head", "flatten")]()(x)
    hidden = spec["hidden"] if isinstance(spec["hidden"], list) else [spec["hidden"]]
    for number, units in enumerate(hidden):
        name = f"hidden_{number}" if number else "hidden"
        x = activation(blocks[-1])(keras.layers.Dense(units, name=name)(x))
    return keras.Model(image, keras.layers.Dense(classes, name="logits")(x))


def add_block(x: Any, block: dict[str, Any], index: int) -> Any:
    """Convolution, normalization, sum, activation and pooling."""
    features, strides, padding = block["features"], block["stride"], block["padding"]
    y = keras.layers.Conv2D(
        features,
        block["kernel_size"],
        strides,
        padding,
        dilation_rate=block["dilation"],
        groups=block["groups"],
        use_bias=block["bias"],
        name=f"conv_{index}",
    )(x)
    norm = normalization(block, f"norm_{index}")
    y = y if norm is None else norm(y)
    if block["residual"]:
        if x.shape != y.shape:
            shortcut = f"shortcut_{index}"
            layer = keras.layers.Conv2D(features, 1, strides, "same", use_bias=False, name=shortcut)
            x = layer(x)
        y = keras.layers.Add()([x, y])
    y = activation(block)(y)
    kinds = {"max": keras.layers.MaxPooling2D, "avg": keras.layers.AveragePooling2D}
    return kinds[block["pool_kind"]](block["pool"])(y) if block["pool"] > 1 else y


def activation(block: dict[str, Any]) -> keras.layers.Layer:
    """A block's activation as a layer."""
    name = block["activation"]
    return keras.layers.Activation("linear" if name == "none" else name)


def normalization(block: dict[str, Any], name: str) -> keras.layers.Layer | None:
    """A block's norm as a layer."""
    epsilon = block["norm_epsilon"]
    if block["norm"] == "batch":
        momentum = block["norm_momentum"]
        return keras.layers.BatchNormalization(momentum=momentum, epsilon=epsilon, name=name)
    if block["norm"] == "layer":
        return keras.layers.LayerNormalization(epsilon=epsilon, name=name)
    if block["norm"] == "group":
        groups = block["norm_groups"]
        return keras.layers.GroupNormalization(groups, epsilon=epsilon, name=name)
    return None


def path_of(variable: Any) -> str:
    """A variable's name here: Keras calls a norm's scale and bias gamma and beta."""
    layer, kind = variable.path.split("/")[-2:]
    return f"{layer}/{ {'gamma': 'scale', 'beta': 'bias'}.get(kind, kind) }"


def make_case(name: str, seed: int) -> Case:
    """One case with everything that Keras computes for it."""
    spec = BASE | CASES[name]
    model = build(spec, (IMAGE_SIZE, IMAGE_SIZE, 1), 10)
    shapes = {path_of(v): list(v.shape) for v in model.trainable_variables}
    case: Case = {"name": name, "seed": seed, "spec": spec, "shapes": shapes}
    params = initial_params(case)
    for variable in model.trainable_variables:
        layer, kind = path_of(variable).split("/")
        variable.assign(params[layer][kind])
    images_BHWC, _ = batch(0)
    case["logits"] = logits(model, images_BHWC)
    model.compile(
        optimizer=keras.optimizers.SGD(LEARNING_RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    case["losses"] = []
    for step in range(STEPS):
        model.reset_metrics()  # or the loss is a running mean
        case["losses"].append(rounded(model.train_on_batch(*batch(step))))
    case["trained_logits"] = logits(model, images_BHWC)
    return case


def logits(model: keras.Model, images_BHWC: Any) -> list[list[float]]:
    """Logits of the first examples, in evaluation."""
    found = keras.ops.convert_to_numpy(model(images_BHWC, training=False))
    return [[rounded(value) for value in row] for row in found[:LOGITS_OF]]


def make_counts(wanted: int = 30) -> list[dict[str, Any]]:
    """Random networks with all options at once, and how many parameters Keras trains in each."""
    generator = np.random.default_rng(20261124)

    def one_of(*choices: Any) -> Any:
        return choices[generator.integers(len(choices))]

    counts: list[dict[str, Any]] = []
    while len(counts) < wanted:
        count, channels = one_of(1, 2, 3), one_of(1, 2, 4)
        size = int(generator.integers(10, 25))
        inputs = [channels]
        for _ in range(count):
            inputs.append(one_of(2, 4, 8))
        columns: dict[str, Any] = {
            "features": inputs[1:],
            "kernel_size": [one_of(1, 2, 3, 5) for _ in range(count)],
            "padding": ["same"] * count,
            "norm": [one_of("none", "batch", "layer", "group") for _ in range(count)],
            "norm_groups": [one_of(1, 2) for _ in range(count)],
            "activation": [one_of(*ACTIVATIONS) for _ in range(count)],
            "pool": [one_of(1, 2) for _ in range(count)],
            "pool_kind": [one_of("max", "avg") for _ in range(count)],
            "dilation": [one_of(1, 2) for _ in range(count)],
            "groups": [one_of(1, min(pair)) for pair in itertools.pairwise(inputs)],
            "bias": [one_of(True, False) for _ in range(count)],
            "residual": [one_of(True, False) for _ in range(count)],
            "head": one_of("flatten", "global_avg", "global_max"),
            "hidden": one_of([], [7], [9, 5]),
        }
        shape, classes = (size, size + 1, channels), one_of(2, 5, 10)
        model = build(columns, shape, classes)
        trained = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
        fields = columns | {"image_shape": shape, "classes": classes}
        counts.append({"spec": fields, "params": trained})
    return counts


def rounded(value: Any) -> float:
    """Nine significant digits, more than float32 has."""
    return float(f"{float(value):.9g}")


def main() -> None:
    """Writes the file."""
    cases = [make_case(name, 2000 + number) for number, name in enumerate(CASES)]
    document = {"keras": keras.__version__, "cases": cases, "counts": make_counts()}
    OPTIONS_FILE.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
