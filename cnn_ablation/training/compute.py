"""How trials are placed and lowered: options that change no result but its last bits, and speed.

A lower `precision` changes more than last bits, where a device has it.
"""

import dataclasses

from cnn_ablation.design.training import PRECISIONS
from cnn_ablation.options import TEXT, WHOLE, option, validate


@dataclasses.dataclass(frozen=True)
class ComputeOptions:
    """What a trial is computed on and by.

    Raises:
        FieldError: a value is not allowed.
    """

    conv: str = option("auto", "lowering of convolutions: auto, native, direct, xla or banded")
    precision: str = option(
        "float32",
        "of products and convolutions of float32 numbers on accelerators: "
        f"{', '.join(PRECISIONS)}; a CPU computes all of them in float32",
        choices=tuple(PRECISIONS),
    )
    same_hardware: bool = option(
        False,
        "whether to refuse to go on with trials of another kind of processor, whose last bits "
        "differ",
    )
    devices: int | None = option(
        None,
        "how many devices to train on (default: one per seed, as far as there are any)",
        kind=WHOLE,
        optional=True,
    )
    seeds_per_device: int = option(
        1, "how many seeds a device trains together, as one vectorised program"
    )
    compilation_cache_dir: str | None = option(
        None,
        "folder of compiled programs (default: per user; empty: none kept)",
        kind=TEXT,
        optional=True,
    )

    def __post_init__(self) -> None:
        validate(self)
