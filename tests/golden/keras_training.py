"""The golden cases of a training's options: what Keras was given, so that a test can be given it.

Parameters and batches are drawn as those of keras_options are. The values that Keras computed are
in keras_training.json; make_keras_training.py made them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from keras_options import STEPS

TRAINING_FILE = Path(__file__).with_name("keras_training.json")
# Smooth, or rounding would decide which side of a kink a value lies on. In front of a norm a bias
# has no gradient but rounding, which Adam and Lion make steps of: so there is none.
NETWORK = {
    "features": [4],
    "stride": 2,
    "pool": 2,
    "pool_kind": "avg",
    "norm": "batch",
    "bias": False,
    "activation": "tanh",
    "hidden": 12,
}
# An epoch of one step, so that a warm-up is counted in steps.
EPOCHS = STEPS


def load() -> list[dict[str, Any]]:
    """Every case: name, seed, training, shapes, and what Keras made of it."""
    cases: list[dict[str, Any]] = json.loads(TRAINING_FILE.read_text())["cases"]
    return cases
