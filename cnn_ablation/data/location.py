"""Where datasets lie on this machine."""

import dataclasses

from cnn_ablation.options import TEXT, option, validate


@dataclasses.dataclass(frozen=True)
class DataLocation:
    """Folders that datasets are read from; they change nothing of what is trained on.

    Attributes:
        folder: where a dataset's relative path begins; None is the folder that the process is in.
    """

    data_dir: str | None = option(
        None, "folder of TFDS's prepared datasets (default: TFDS's own)", kind=TEXT, optional=True
    )
    manual_dir: str | None = option(
        None, "folder that holds a dataset's original archives", kind=TEXT, optional=True
    )

    folder: str | None = None

    def __post_init__(self) -> None:
        validate(self)
