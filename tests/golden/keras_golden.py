"""The golden cases: what Keras was given, so that a test can be given the same.

The initial parameters come from NumPy alone (PCG64 is stable across NumPy versions) and the
batches from the archives embedded in the package, so no Keras is needed to repeat a case. The
values Keras computed are in keras_golden.json; make_keras_golden.py made them.
"""

from __future__ import annotations

import functools
import gzip
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Params = dict[str, dict[str, Array]]
Case = dict[str, Any]

GOLDEN_FILE = Path(__file__).with_name("keras_golden.json")
BATCH_SIZE = 128
IMAGE_SIZE = 28
CLASSES = 10

_ARCHIVES = Path(__file__).parents[2] / "cnn_ablation" / "data" / "archives"
_IMAGES_HEADER, _LABELS_HEADER = 16, 8  # bytes before the data in an IDX file


def load_cases() -> list[Case]:
    """Returns every case: name, seed, spec, logits and the runs that Keras made."""
    cases: list[Case] = json.loads(GOLDEN_FILE.read_text())["cases"]
    return cases


def initial_params(case: Case) -> Params:
    """Returns Glorot-uniform float32 kernels and zero biases, drawn in layer order.

    Kernels of conv_0, conv_1, ... are HWIO, those of hidden and logits (in, out).
    """
    generator = np.random.Generator(np.random.PCG64(case["seed"]))
    return {
        name: {
            "kernel": _glorot_uniform(generator, shape),
            "bias": np.zeros(shape[-1], np.float32),
        }
        for name, shape in kernel_shapes(case["spec"]).items()
    }


def kernel_shapes(spec: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Returns the kernel shape of every layer, in layer order."""
    shapes: dict[str, tuple[int, ...]] = {}
    size, channels = IMAGE_SIZE, 1
    blocks = zip(
        spec["features"],
        spec["kernel_size"],
        spec["stride"],
        spec["padding"],
        spec["pool"],
        strict=True,
    )
    for index, (features, kernel, stride, padding, pool) in enumerate(blocks):
        shapes[f"conv_{index}"] = (kernel, kernel, channels, features)
        reach = size if padding == "same" else size - kernel + 1
        size, channels = math.ceil(reach / stride) // pool, features
    shapes["hidden"] = (size * size * channels, spec["hidden"])
    shapes["logits"] = (spec["hidden"], CLASSES)
    return shapes


def batch(step: int) -> tuple[Array, Array]:
    """Returns float32 images_BHWC in [0, 1] and int32 labels_B of one step, in archive order."""
    images_NHWC, labels_N = _train_examples()
    rows = slice(BATCH_SIZE * step, BATCH_SIZE * (step + 1))
    return images_NHWC[rows].astype(np.float32) / 255, labels_N[rows].astype(np.int32)


def _glorot_uniform(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draws one kernel: variance 2 / (fan in + fan out) (Glorot and Bengio, 2010)."""
    receptive_field = math.prod(shape[:-2])
    limit = math.sqrt(6 / (receptive_field * (shape[-2] + shape[-1])))
    return generator.uniform(-limit, limit, shape).astype(np.float32)


@functools.cache
def _train_examples() -> tuple[Array, Array]:
    images = gzip.decompress((_ARCHIVES / "train-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((_ARCHIVES / "train-labels-idx1-ubyte.gz").read_bytes())
    images_NHWC = np.frombuffer(images, np.uint8, offset=_IMAGES_HEADER)
    labels_N = np.frombuffer(labels, np.uint8, offset=_LABELS_HEADER)
    return images_NHWC.reshape(-1, IMAGE_SIZE, IMAGE_SIZE, 1), labels_N
