"""Which trackers hear of a run."""

import dataclasses

from cnn_ablation.options import option, validate


@dataclasses.dataclass(frozen=True)
class TrackerOptions:
    """Where figures can also be followed; a run's own files stay what counts."""

    tensorboard: bool = option(False, "write TensorBoard's event files into WORKDIR/tensorboard")
    mlflow: str = option(
        "", "log to this store of MLflow, such as sqlite:///mlflow.db (default: to none)"
    )

    def __post_init__(self) -> None:
        validate(self)
