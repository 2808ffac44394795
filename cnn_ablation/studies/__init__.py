"""The studies that come with the package, by name: the notebook's and those of single choices.

Each is a module with a `STUDY`, whose docstring says what is claimed and by whom. `TRAINING` and
`CONTROLS`, where a module has them, are what its flags begin with.
"""

import dataclasses
import importlib

from cnn_ablation.design import TrainingSpec
from cnn_ablation.errors import InputError
from cnn_ablation.options.registry import nearest
from cnn_ablation.study import Study

# The notebook's questions, alone and together, and then single choices.
NAMES = (
    *("notebook", "kernel_size", "stride", "padding", "pooling"),
    *("activation", "amount_of_data", "augmentation", "batch_size", "depth", "depthwise"),
    *("dilation", "dropout", "head", "initialization", "label_smoothing", "learning_rate"),
    *("normalization", "optimizer", "pooling_kind", "residual", "schedule", "width"),
)


@dataclasses.dataclass(frozen=True)
class Shipped:
    """A study that comes with the package.

    Attributes:
        study: the declaration.
        description: what is asked and claimed, with sources, for `--help`.
        training: the procedure that its flags begin with; None is the package's own.
        controls: whether there is a control arm unless a flag says otherwise.
    """

    study: Study
    description: str
    training: TrainingSpec | None = None
    controls: bool = True


def find(name: str) -> Shipped:
    """The study of a name.

    Raises:
        InputError: there is none; the message lists those that there are.
    """
    if name not in NAMES:
        raise InputError(
            f"study {name}: is no file, and no study of the package{nearest(name, NAMES)}; these "
            f"are {', '.join(NAMES)}"
        )
    module = importlib.import_module(f"{__name__}.{name}")
    return Shipped(
        module.STUDY,
        module.__doc__ or "",
        getattr(module, "TRAINING", None),
        getattr(module, "CONTROLS", True),
    )
