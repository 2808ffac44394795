"""Makes keras_golden.json with real Keras, or compares another Keras with it.

Run from the repository root, in an environment of its own (the package does not need Keras):

    pip install keras==3.15.1 tensorflow==2.21.0 jax==0.10.2 numpy==2.4.6
    KERAS_BACKEND=tensorflow python tests/golden/make_keras_golden.py
    KERAS_BACKEND=jax python tests/golden/make_keras_golden.py --compare

The committed file was made by the second line with exactly these versions on Python 3.11, on two
AMD EPYC (Zen 5) cores. The third line writes nothing: it prints how far a Keras that should
compute the same is from the file, which tells what tolerance is meaningful.

Keras trains with Model.train_on_batch, without XLA (jit_compile=False) on TensorFlow. Its relu sits
inside the convolution, before the pooling, and its softmax inside the last layer, as in the
notebook that this project repeats.

How the seeds were chosen. At learning rate 1.0 two correct programs stay within 2e-7 of each
other until some unit's input falls within rounding of relu's kink (or two inputs within rounding
of each other under a pooling window): then one program passes the gradient on, the other does
not, and they part tenfold every five to ten steps. Of six seeds tried for each case, four to six
met no such tie in 10 steps where maps are small, one in base, even_kernels_same and kernels_7_9
(up to 430,000 relus a step). The seeds below are ones where Keras on TensorFlow (one thread, two,
and XLA), on JAX, on JAX in float64, and on JAX from kernels disturbed by 1e-7 four times over,
ended 10 steps with all parameters within 4e-7.
"""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

import keras
import numpy as np
from keras_golden import GOLDEN_FILE, IMAGE_SIZE, Array, Case, Params, batch, initial_params
from keras_golden import load_cases as load_golden_cases

RHO, EPSILON = 0.95, 1e-7
RUNS = ((0.001, 100), (1.0, 10))  # learning rate, steps
LOGITS_OF = 2  # examples whose logits at the initial parameters are kept
ENTRIES = 8  # of every parameter array
FIELDS = ("features", "kernel_size", "stride", "padding", "pool")

# Seed, then features, kernel size, stride, padding and pool of every block.
CASES: dict[str, tuple[int, list[int], list[int], list[int], list[str], list[int]]] = {
    "base": (1300, [8, 16], [3, 3], [1, 1], ["valid", "valid"], [1, 1]),
    "stride_2_same": (1001, [8, 16], [3, 3], [2, 2], ["same", "same"], [1, 1]),
    "even_kernels_same": (1402, [8, 16], [4, 2], [1, 1], ["same", "same"], [1, 1]),
    "even_kernels_strided_same": (1003, [8, 16], [4, 2], [3, 2], ["same", "same"], [1, 1]),
    "uneven_pool": (1104, [8, 16], [3, 2], [1, 1], ["valid", "valid"], [3, 2]),
    "pool_2": (1105, [8, 16], [3, 3], [1, 1], ["valid", "valid"], [2, 2]),
    "three_blocks": (1006, [4, 8, 8], [5, 3, 2], [1, 2, 1], ["same", "valid", "same"], [1, 1, 2]),
    "kernels_7_9": (1307, [8, 16], [7, 9], [1, 1], ["valid", "valid"], [1, 1]),
}


def make_case(name: str) -> Case:
    """Returns one case with everything that Keras computes for it."""
    seed, *blocks = CASES[name]
    spec = {**dict(zip(FIELDS, blocks, strict=True)), "hidden": 32}
    case: Case = {"name": name, "seed": seed, "spec": spec}
    case["logits"] = initial_logits(case).tolist()
    case["runs"] = [run(case, rate, steps) for rate, steps in RUNS]
    return case


def run(case: Case, learning_rate: float, steps: int) -> dict[str, Any]:
    """Trains from the initial parameters: the loss of every step, then the final parameters."""
    model = build(case)
    model.compile(
        optimizer=keras.optimizers.Adadelta(learning_rate, rho=RHO, epsilon=EPSILON),
        loss="sparse_categorical_crossentropy",
        jit_compile=keras.backend.backend() == "jax",
    )
    losses = []
    for step in range(steps):
        model.reset_metrics()  # or the loss is a running mean
        losses.append(float(model.train_on_batch(*batch(step))))
    return {
        "learning_rate": learning_rate,
        "steps": steps,
        "losses": [significant(loss, 9) for loss in losses],
        "params": describe(read_params(model), initial_params(case)),
    }


def build(case: Case) -> keras.Sequential:
    """Returns the network of a case, holding its initial parameters."""
    spec = case["spec"]
    layers: list[keras.layers.Layer] = [keras.layers.Input((IMAGE_SIZE, IMAGE_SIZE, 1))]
    columns = (spec[field] for field in FIELDS)
    for index, (features, kernel, stride, padding, pool) in enumerate(zip(*columns, strict=True)):
        layers.append(
            keras.layers.Conv2D(
                features, kernel, stride, padding, activation="relu", name=f"conv_{index}"
            )
        )
        if pool > 1:
            layers.append(keras.layers.MaxPooling2D(pool))
    layers.append(keras.layers.Flatten())
    layers.append(keras.layers.Dense(spec["hidden"], activation="relu", name="hidden"))
    layers.append(keras.layers.Dense(10, activation="softmax", name="logits"))
    model = keras.Sequential(layers)
    for name, arrays in initial_params(case).items():
        model.get_layer(name).set_weights([arrays["kernel"], arrays["bias"]])
    return model


def initial_logits(case: Case) -> Array:
    """Returns the logits (before softmax) of the first examples at the initial parameters."""
    model = build(case)
    model.get_layer("logits").activation = keras.activations.linear
    images_BHWC, _ = batch(0)
    logits_BK = keras.ops.convert_to_numpy(model(images_BHWC))
    return logits_BK[:LOGITS_OF]


def read_params(model: keras.Sequential) -> Params:
    """Returns the parameters of the layers that have some."""
    return {
        layer.name: dict(zip(("kernel", "bias"), layer.get_weights(), strict=True))
        for layer in model.layers
        if layer.weights
    }


def describe(params: Params, initial: Params) -> dict[str, dict[str, Any]]:
    """Returns a few float64 numbers for every array, such as "conv_0/kernel".

    change_norm is the L2 norm of what training added; entries are at fixed flat indices.
    """
    described = {}
    for layer, arrays in params.items():
        for kind, array in arrays.items():
            indices = np.random.Generator(np.random.PCG64(array.size)).integers(
                array.size, size=ENTRIES
            )
            flat = array.astype(np.float64).ravel()
            described[f"{layer}/{kind}"] = {
                "sum": float(flat.sum()),
                "norm": float(np.linalg.norm(flat)),
                "change_norm": float(np.linalg.norm(flat - initial[layer][kind].ravel())),
                "indices": indices.tolist(),
                "entries": [significant(entry, 9) for entry in flat[indices]],
            }
    return described


def significant(value: float, digits: int) -> float:
    """Rounds to significant digits; nine keep a float32 exactly."""
    return float(f"{float(value):.{digits}g}")


def compare(made: list[Case], golden: list[Case]) -> None:
    """Prints the largest differences between these cases and the file's."""
    print(
        f"{'case':26} {'rate':>6} {'loss, relative':>15} {'entries':>9} {'change norm, rel.':>18}"
    )
    for ours, theirs in zip(made, golden, strict=True):
        for run_a, run_b in zip(ours["runs"], theirs["runs"], strict=True):
            loss = max_difference(run_a["losses"], run_b["losses"], relative=True)
            pairs = [(run_a["params"][name], run_b["params"][name]) for name in run_a["params"]]
            entries = max(max_difference(a["entries"], b["entries"]) for a, b in pairs)
            change = max(
                max_difference(a["change_norm"], b["change_norm"], relative=True) for a, b in pairs
            )
            rate = run_a["learning_rate"]
            print(f"{ours['name']:26} {rate:6} {loss:15.1e} {entries:9.1e} {change:18.1e}")
        print(f"{'':33} logits {max_difference(ours['logits'], theirs['logits']):.1e}")


def max_difference(ours: Any, theirs: Any, relative: bool = False) -> float:
    """Returns the largest absolute difference, divided by their values where asked."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    difference = np.abs(ours - theirs)
    return float((difference / np.abs(theirs) if relative else difference).max())


def write(cases: list[Case]) -> None:
    """Writes the file, every list of numbers on one line."""
    golden = {
        "made_by": "tests/golden/make_keras_golden.py",
        "keras": keras.__version__,
        "backend": keras.backend.backend(),
        "rho": RHO,
        "epsilon": EPSILON,
        "cases": cases,
    }
    text = json.dumps(golden, indent=1)
    text = re.sub(
        r"\[[^][{}]*\]", lambda match: " ".join(match.group()[1:-1].split()).join("[]"), text
    )
    GOLDEN_FILE.write_text(text + "\n")


def main() -> None:
    """Makes every case; writes them or compares them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--compare", action="store_true", help="compare with the file instead")
    arguments = parser.parse_args()
    cases = [make_case(name) for name in CASES]
    if arguments.compare:
        compare(cases, load_golden_cases())
    else:
        write(cases)


if __name__ == "__main__":
    main()
