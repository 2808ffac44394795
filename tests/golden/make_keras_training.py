"""Makes keras_training.json with real Keras: every optimizer, schedule and option of a training.

Run from the repository root, in an environment of its own (the package does not need Keras):

    pip install keras==3.15.1 jax==0.10.2 numpy==2.4.6
    KERAS_BACKEND=jax python tests/golden/make_keras_training.py

Each case trains one small network for 20 steps from parameters that NumPy draws; kept are the
loss of every step, logits afterwards in evaluation, and of every parameter its norm and some
entries. Keras has no warm-up but in its cosine: for the others it is put in front of Keras's own.
"""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
from keras_golden import IMAGE_SIZE, Case
from keras_options import STEPS, batch, initial_params
from keras_training import NETWORK, TRAINING_FILE
from make_keras_options import build, logits, path_of, rounded

CLASSES = 10
ENTRIES_OF = 6  # entries kept of each parameter
RATES = {
    "adadelta": 1.0,
    "sgd": 0.02,
    "adam": 0.002,
    "adamw": 0.002,
    "rmsprop": 0.001,
    "lion": 0.0005,
}
PLAIN: dict[str, dict[str, Any]] = {
    "adadelta_options": {"optimizer": "adadelta", "rho": 0.8, "epsilon": 1e-4},
    "sgd_momentum": {"optimizer": "sgd", "momentum": 0.9},
    "sgd_nesterov": {"optimizer": "sgd", "momentum": 0.7, "nesterov": True},
    "adam_options": {"optimizer": "adam", "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3},
    "adamw_options": {"optimizer": "adamw", "beta_1": 0.8, "weight_decay": 0.3},
    "rmsprop_options": {"optimizer": "rmsprop", "rho": 0.8, "epsilon": 1e-4, "momentum": 0.7},
    "rmsprop_centered": {"optimizer": "rmsprop", "centered": True, "momentum": 0.5},
    "lion_options": {"optimizer": "lion", "beta_1": 0.8, "beta_2": 0.95},
    "weight_decay": {"optimizer": "sgd", "momentum": 0.9, "weight_decay": 0.2},
    "clip_norm": {"optimizer": "sgd", "momentum": 0.9, "clip_norm": 0.8},
    "clip_norm_adam": {"optimizer": "adam", "clip_norm": 0.3},
    "label_smoothing": {"optimizer": "sgd", "label_smoothing": 0.1},
    "label_smoothing_most": {"optimizer": "sgd", "label_smoothing": 0.6},
}
SCHEDULED: dict[str, dict[str, Any]] = {
    f"{name}_{schedule}_warmup_{warmup}": {
        "optimizer": name,
        "schedule": schedule,
        "warmup": warmup,
    }
    for name in RATES
    for schedule, warmup in (("constant", 5), ("cosine", 0), ("cosine", 4), ("linear", 3))
}
TOGETHER: dict[str, dict[str, Any]] = {
    "sgd_together": {
        "optimizer": "sgd",
        "momentum": 0.9,
        "nesterov": True,
        "schedule": "cosine",
        "warmup": 5,
        "weight_decay": 0.1,
        "clip_norm": 1.0,
        "label_smoothing": 0.1,
    },
    "lion_together": {"optimizer": "lion", "schedule": "linear", "weight_decay": 2.0},
    "rmsprop_together": {
        "optimizer": "rmsprop",
        "momentum": 0.9,
        "schedule": "linear",
        "warmup": 2,
        "weight_decay": 0.5,
        "clip_norm": 0.5,
    },
}
CASES = {name: {"optimizer": name} for name in RATES} | PLAIN | SCHEDULED | TOGETHER


class Warmed(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule of Keras's behind a warm-up as its CosineDecay has one."""

    def __init__(self, later: Any, highest: float, steps: int) -> None:
        self.later, self.highest, self.steps = later, highest, steps

    def __call__(self, step: Any) -> Any:
        """The rate of a step."""
        number = keras.ops.cast(step, "float32")
        after = keras.ops.maximum(number - self.steps, 0.0)
        later = self.later(after) if callable(self.later) else self.later
        rising = self.highest * (number / self.steps)
        return keras.ops.where(number < self.steps, rising, later)


def rate_of(training: dict[str, Any]) -> Any:
    """The learning rate as Keras takes it."""
    highest, warmup = RATES[training["optimizer"]], training.get("warmup", 0)
    left = STEPS - warmup
    kind = training.get("schedule", "constant")
    if kind == "cosine":
        cosine = keras.optimizers.schedules.CosineDecay
        if warmup:
            return cosine(0.0, left, warmup_target=highest, warmup_steps=warmup)
        return cosine(highest, left)
    linear = keras.optimizers.schedules.PolynomialDecay(highest, left, 0.0)
    later = linear if kind == "linear" else highest
    return Warmed(later, highest, warmup) if warmup else later


def optimizer_of(training: dict[str, Any]) -> keras.optimizers.Optimizer:
    """The optimizer as Keras's documentation writes it, with its own defaults."""
    kinds = {
        "adadelta": keras.optimizers.Adadelta,
        "sgd": keras.optimizers.SGD,
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "rmsprop": keras.optimizers.RMSprop,
        "lion": keras.optimizers.Lion,
    }
    ours = ("optimizer", "schedule", "warmup", "label_smoothing", "clip_norm")
    options = {name: value for name, value in training.items() if name not in ours}
    if "clip_norm" in training:
        options["global_clipnorm"] = training["clip_norm"]
    made = kinds[training["optimizer"]](rate_of(training), **options)
    if made.weight_decay:
        made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return made


def make_case(name: str, seed: int) -> Case:
    """One case with everything that Keras computes for it."""
    training = CASES[name]
    model = build(NETWORK, (IMAGE_SIZE, IMAGE_SIZE, 1), CLASSES)
    shapes = {path_of(v): list(v.shape) for v in model.trainable_variables}
    case: Case = {"name": name, "seed": seed, "shapes": shapes}
    case["training"] = {"learning_rate": RATES[training["optimizer"]]} | training
    params = initial_params(case)
    for variable in model.trainable_variables:
        layer, kind = path_of(variable).split("/")
        variable.assign(params[layer][kind])
    smoothing = training.get("label_smoothing", 0.0)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    model.compile(optimizer=optimizer_of(training), loss=loss)
    case["losses"] = []
    for step in range(STEPS):
        images_BHWC, labels_B = batch(step)
        model.reset_metrics()  # or the loss is a running mean
        labels_BK = np.eye(CLASSES, dtype=np.float32)[labels_B]
        case["losses"].append(rounded(model.train_on_batch(images_BHWC, labels_BK)))
    case["trained_logits"] = logits(model, batch(0)[0])
    case["params"] = {path_of(v): kept(v, seed) for v in model.trainable_variables}
    return case


def kept(variable: Any, seed: int) -> dict[str, Any]:
    """A parameter's norm and some of its entries."""
    values = np.asarray(keras.ops.convert_to_numpy(variable), np.float64).ravel()
    generator = np.random.Generator(np.random.PCG64(seed))
    count = min(ENTRIES_OF, values.size)
    indices = np.sort(generator.choice(values.size, count, replace=False)).tolist()
    return {
        "norm": rounded(np.linalg.norm(values)),
        "indices": indices,
        "entries": [rounded(values[index]) for index in indices],
    }


def main() -> None:
    """Writes the file."""
    cases = [make_case(name, 3000 + number) for number, name in enumerate(CASES)]
    document = {"keras": keras.__version__, "cases": cases}
    TRAINING_FILE.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
