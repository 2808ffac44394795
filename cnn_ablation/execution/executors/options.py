"""Where trials run: options of the executors."""

import dataclasses

from cnn_ablation.options import TEXT, WHOLE, option, validate

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
        "Ray cluster for --executor=ray: auto on one of its machines, HOST:6379 inside its "
        "network, ray://HOST:10001 from outside (default: one on this machine, for as long as "
        "the study runs)",
    )

    platform: str | None = option(
        None,
        "what the workers of --executor=ray compute on: cpu, gpu or tpu (default: what this "
        "machine computes on)",
        kind=TEXT,
        choices=("cpu", "gpu", "tpu"),
        optional=True,
    )

    def __post_init__(self) -> None:
        validate(self)
