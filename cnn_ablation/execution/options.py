"""How a study is run: what its flags say, in records that are passed whole."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

from cnn_ablation.data import DataLocation
from cnn_ablation.design import DataSpec, TrainingSpec
from cnn_ablation.errors import FieldError
from cnn_ablation.execution.executors.options import ExecutorOptions
from cnn_ablation.execution.tuning import TuneOptions
from cnn_ablation.inference import SPENDING
from cnn_ablation.options import TEXT, WHOLE, YES_NO, declared, option, validate
from cnn_ablation.options.registry import nearest
from cnn_ablation.study.arms import ARMS
from cnn_ablation.trackers.options import TrackerOptions
from cnn_ablation.training.compute import ComputeOptions

NUM_SEEDS = 10


@dataclasses.dataclass(frozen=True)
class StudyOptions:
    """How a study is run.

    Attributes:
        training: the procedure that variants share, but for what they set themselves.
        data: the images that variants share, likewise.
        seeds: one trial a design each; in a sequential study those of the first look.
        compute: how trials are placed and lowered.
        location: where datasets lie.
        execution: where trials run.
        trackers: who else hears of them.
        tuning: how variants are tuned.

    Raises:
        FieldError: a value is not allowed.
    """

    training: TrainingSpec = dataclasses.field(default_factory=TrainingSpec)
    data: DataSpec = dataclasses.field(default_factory=DataSpec)
    seeds: Sequence[int] = range(NUM_SEEDS)
    workdir: str | None = option(
        None,
        "folder of the study (default: under runs/, by study and settings)",
        kind=TEXT,
        optional=True,
    )
    controls: bool = option(True, "add the control arm: the same designs at equal parameters")
    arms: tuple[str, ...] | None = option(
        None,
        f"the arms to add in which designs are compared fairly, several of {', '.join(ARMS)}, or "
        "none (default: params, unless --nocontrols, and tuned where something is tuned)",
        kind=TEXT,
        shape="several",
        choices=tuple(ARMS),
        may_be_none=True,
        optional=True,
    )
    interactions: bool = option(
        True, "claim too, of each arm, that less is left of a difference in it"
    )
    timing_rounds: int = option(
        10,
        "rounds in which each design is timed alone after all trials; 0 leaves times out. The "
        "sign-flip test decides nothing on time with fewer than 9 or so",
        least=0,
    )
    share_timings: bool = option(
        True,
        "use rounds that other studies took of the same designs on this machine with the same "
        "code, whatever their epochs and learning rate",
    )
    until_decided: bool | None = option(
        None,
        "a sequential study: look at growing numbers of seeds, from --num_seeds to --max_seeds, "
        "and train until every claim is decided; --num_seeds=10..60 says the same (default: as the "
        "study's file declares)",
        kind=YES_NO,
        optional=True,
    )
    max_seeds: int = option(60, "the most seeds of a sequential study", least=1)
    looks: tuple[int, ...] = option(
        (),
        "numbers of seeds at which a sequential study looks at its results (default: from "
        "--num_seeds to --max_seeds, doubling every second look)",
        kind=WHOLE,
        shape="several",
        least=1,
        may_be_none=True,
    )
    spending: str = option(
        "linear",
        "how the looks of a sequential study share its level: the share that may be spent when a "
        "share of the seeds is in",
        choices=tuple(SPENDING),
    )
    retry_failed: bool = option(False, "run trials again that failed")
    map: str = option(
        "",
        "repeat the whole study at each of these settings, and draw where its conclusions hold: "
        "'learning_rate:0.1,1 x epochs:1,2,5'; any field of training or data",
    )
    dry_run: bool = option(
        False,
        "print the trials, the time and the disk space that they will take, and what each claim "
        "can come to; write nothing",
    )
    check: bool = option(False, "exit with 1 when a claim is not as expected")
    save_params: bool = option(
        False,
        "keep the trained model of each seed in the workdir: model-seed0.safetensors, which "
        "cnn.load and cnn-ablation predict read",
        flag=False,
    )
    program: str = option("", "how the study is started: `-m MODULE` or a file", flag=False)
    compute: ComputeOptions = dataclasses.field(default_factory=ComputeOptions)
    location: DataLocation = dataclasses.field(default_factory=DataLocation)
    execution: ExecutorOptions = dataclasses.field(default_factory=ExecutorOptions)
    trackers: TrackerOptions = dataclasses.field(default_factory=TrackerOptions)
    tuning: TuneOptions = dataclasses.field(default_factory=TuneOptions)

    def __post_init__(self) -> None:
        validate(self)

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Options from names without records: `StudyOptions.of(seeds=range(5), conv="xla")`.

        The names are those of the flags.

        Raises:
            FieldError: there is no such option, or a value is not allowed.
        """
        own: dict[str, Any] = {}
        parts: dict[str, dict[str, Any]] = {name: {} for name in RECORDS}
        names = [field.name for field in dataclasses.fields(cls) if field.name not in RECORDS]
        for name, value in values.items():
            record = next((r for r, kind in RECORDS.items() if name in declared(kind)), None)
            if record is not None and not isinstance(value, RECORDS[record]):
                parts[record][name] = value
            elif name in names or name in RECORDS:
                own[name] = value
            else:
                every = [*names, *(n for kind in RECORDS.values() for n in declared(kind))]
                raise FieldError(name, value, f"no option of a study{nearest(name, every)}")
        records = {name: RECORDS[name](**given) for name, given in parts.items() if given}
        return cls(**{**records, **own})


RECORDS: dict[str, type[Any]] = {
    "compute": ComputeOptions,
    "location": DataLocation,
    "execution": ExecutorOptions,
    "trackers": TrackerOptions,
    "tuning": TuneOptions,
}
