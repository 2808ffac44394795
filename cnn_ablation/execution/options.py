"""How a study is run: what its flags say."""

import dataclasses
from collections.abc import Sequence

from cnn_ablation.design.spec import DataSpec, TrainingSpec

AUTO = "auto"


@dataclasses.dataclass(frozen=True)
class StudyOptions:
    """How a study is run.

    Attributes:
        training: the procedure that every design goes through.
        data: the images.
        seeds: one trial a design each.
        controls: whether to add the control arm.
        timing_rounds: rounds of the timing pass, 0 for none.
        workdir: the study's folder, None for one under `runs/` named by study and settings.
        conv: lowering of convolutions: auto, native, xla or banded.
        devices: how many devices to train on, None for one per seed as far as there are any.
        seeds_per_device: how many seeds a device trains together.
        executor: `inline`, `processes`, `ray`, or `auto` for what is quickest here.
        workers: how many trials at a time, None for what suits the executor.
        ray_address: of the Ray cluster to train on, empty for one on this machine.
        retry_failed: whether trials that failed before run again.
        check: whether a claim that is not as expected makes the exit code 1.
        data_dir: folder of prepared datasets, None for TFDS's own.
        manual_dir: folder with a dataset's original archives, or None.
        compilation_cache_dir: folder of compiled programs, as the flag of that name says.
        tensorboard: whether to write TensorBoard's event files too.
        mlflow: URI of MLflow's store to log to, empty for none.
    """

    training: TrainingSpec
    data: DataSpec
    seeds: Sequence[int]
    controls: bool = True
    timing_rounds: int = 10
    workdir: str | None = None
    conv: str = "auto"
    devices: int | None = None
    seeds_per_device: int = 1
    executor: str = "inline"
    workers: int | None = None
    ray_address: str = ""
    retry_failed: bool = False
    check: bool = False
    data_dir: str | None = None
    manual_dir: str | None = None
    compilation_cache_dir: str | None = None
    tensorboard: bool = False
    mlflow: str = ""
