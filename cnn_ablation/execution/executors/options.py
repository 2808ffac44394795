"""Where trials run: options of the executors."""

import dataclasses

from cnn_ablation.options import WHOLE, option, validate

AUTO = "auto"


@dataclasses.dataclass(frozen=True)
class ExecutorOptions:
    """Which executor trains, and with how many workers."""

    executor: str = option(
        AUTO,
        "where trials run: inline (one by one), processes (a pool), ray (a cluster), or auto: "
        "processes on a CPU of several cores, else inline",
    )
    workers: int | None = option(
        None,
        "processes in the pool (default: one per core; ray: all that fit)",
        kind=WHOLE,
        optional=True,
    )
    ray_address: str = option(
        "",
        "Ray cluster for --executor=ray: auto, host:port or ray://host:port (default: one on this "
        "machine, for as long as the study runs)",
    )

    def __post_init__(self) -> None:
        validate(self)
