"""What the benchmark trains: the notebook's 15 distinct designs, and every choice.

Each choice is made on the pool-2 network, a fifth of the cost of the others, and nothing else is
changed in it.
"""

from typing import Any

from cnn_ablation.design import NetworkSpec, TrainingSpec, TrialSpec

_SIZES = ((3, 3), (3, 5), (5, 5), (7, 3), (7, 9), (9, 9))
DESIGNS = {
    **{f"kernel-{a}-{b}": NetworkSpec(kernel_size=(a, b)) for a, b in _SIZES},
    **{f"stride-{stride}": NetworkSpec(stride=stride) for stride in range(2, 6)},
    **{f"same-{other}": NetworkSpec(padding=("same", other)) for other in ("same", "valid")},
    **{f"pool-{pool}": NetworkSpec(pool=pool) for pool in range(2, 5)},
}
_ACTIVATIONS = ("leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "none")
_CHOICES: dict[str, dict[str, Any]] = {
    "dilation-2": {"dilation": 2},
    "groups-2": {"groups": (1, 2)},
    "depthwise": {"groups": (1, 8)},
    "no-bias": {"bias": False},
    **{f"activation-{name}": {"activation": name} for name in _ACTIVATIONS},
    **{f"norm-{name}": {"norm": name} for name in ("batch", "layer", "group")},
    "pool-avg": {"pool_kind": "avg"},
    "dropout": {"dropout": 0.25},
    "residual": {"residual": True},
    "global-avg": {"head": "global_avg"},
    "global-max": {"head": "global_max"},
    "no-hidden": {"hidden": ()},
    "hidden-64-32": {"hidden": (64, 32)},
    "head-dropout": {"head_dropout": 0.5},
}
_TRAININGS: dict[str, dict[str, Any]] = {
    "optimizer-sgd": {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9},
    **{f"optimizer-{name}": {"optimizer": name} for name in ("adam", "adamw", "rmsprop")},
    "optimizer-lion": {"optimizer": "lion", "learning_rate": 0.0003},
    **{f"schedule-{name}": {"schedule": name} for name in ("cosine", "linear")},
    "clip-norm": {"clip_norm": 1.0},
    "label-smoothing": {"label_smoothing": 0.1},
    **{f"augment-{name}": {"augment": name} for name in ("shift", "flip", "erase")},
}
CHOICES = {
    **{name: TrialSpec(NetworkSpec(pool=2, **options)) for name, options in _CHOICES.items()},
    **{
        name: TrialSpec(NetworkSpec(pool=2), TrainingSpec(**options))
        for name, options in _TRAININGS.items()
    },
}
