"""The golden cases of a network's options: what Keras was given, so that a test can be given it.

Parameters come from NumPy alone, by the names and shapes that a case lists, and batches are those
of keras_golden. The values that Keras computed are in keras_options.json;
make_keras_options.py made them.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from keras_golden import Array, Case, Params
from keras_golden import batch as whole_batch

OPTIONS_FILE = Path(__file__).with_name("keras_options.json")
BATCH_SIZE = 64
STEPS = 20
LEARNING_RATE = 0.02
BASE = {"features": [4, 8], "pool": 2, "hidden": 16}


def load() -> dict[str, Any]:
    """Everything that Keras made: `cases` and `counts`."""
    document: dict[str, Any] = json.loads(OPTIONS_FILE.read_text())
    return document


def initial_params(case: Case) -> Params:
    """Parameters as float32 arrays: kernels Glorot-uniform, the others random about their usual.

    No array is all zeros or ones, or an error in what it takes part in would not be seen.
    """
    generator = np.random.Generator(np.random.PCG64(case["seed"]))
    params: Params = {}
    for path, shape in case["shapes"].items():
        layer, kind = path.split("/")
        if kind == "kernel":
            field = math.prod(shape[:-2])
            limit = math.sqrt(6 / (field * (shape[-2] + shape[-1])))
        else:
            limit = 0.1
        values = generator.uniform(-limit, limit, shape) + (kind == "scale")
        params.setdefault(layer, {})[kind] = values.astype(np.float32)
    return params


def batch(step: int) -> tuple[Array, Array]:
    """float32 images_BHWC in [0, 1] and int32 labels_B of one step."""
    images_BHWC, labels_B = whole_batch(step)
    return images_BHWC[:BATCH_SIZE], labels_B[:BATCH_SIZE]
