"""Flags made from the fields of specs, and specs made from flags, for every entry point."""

from __future__ import annotations

import dataclasses
from typing import Any

from absl import flags

from cnn_ablation.data import describe_dataset
from cnn_ablation.design.spec import MAX_SEED, DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import FieldError, InputError
from cnn_ablation.execution.hosts import HostOptions

FLAGS = flags.FLAGS
_KINDS = {int: "a whole number", float: "a number", str: "a text"}


class _Parser(flags.ArgumentParser):  # type: ignore[type-arg]
    """Turns a flag's text into one value or, for per-block fields, a tuple of them."""

    def __init__(self, kind: type, per_block: bool) -> None:
        self.kind, self.per_block = kind, per_block
        self.syntactic_help = ""

    def flag_type(self) -> str:
        return self.kind.__name__

    def parse(self, argument: Any) -> Any:
        if not isinstance(argument, str):
            return argument
        if self.per_block:
            return tuple(self._one(part) for part in argument.split(","))
        return self._one(argument)

    def _one(self, text: str) -> Any:
        try:
            return self.kind(text.strip())
        except ValueError:
            raise ValueError(f"must be {_KINDS[self.kind]}") from None


class _Serializer(flags.ArgumentSerializer):  # type: ignore[type-arg]
    def serialize(self, value: Any) -> str:
        return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def define_network_flags() -> None:
    """Defines the flags of the network: what the design is."""
    _define_from(NetworkSpec, "cnn_ablation: the network")


def define_training_flags() -> None:
    """Defines the flags of the training, the data and where data are: how any design is trained."""
    _define_from(TrainingSpec, "cnn_ablation: training")
    _define_from(DataSpec, "cnn_ablation: data")
    module = "cnn_ablation: data"
    _define("data_dir", None, "folder of TFDS's prepared datasets (default: TFDS's own)", module)
    _define("manual_dir", None, "folder that holds a dataset's original archives", module)


def define_seed_flags(num_seeds: int) -> None:
    """Defines `--seed` and `--num_seeds`."""
    module = "cnn_ablation: seeds"
    _define("seed", 0, "first seed", module)
    _define("num_seeds", num_seeds, "how many seeds, counted up from the first", module)


def define_run_flags() -> None:
    """Defines the flags of where one run's results go and how it is lowered and compiled."""
    module = "cnn_ablation: the run"
    _define("workdir", None, "folder for results (default: a new one under runs/)", module)
    flags.DEFINE_boolean(
        "overwrite", False, "replace a finished run in the workdir", module_name=module
    )
    define_program_flags()


def define_program_flags() -> None:
    """Defines the flags of how the program is lowered and compiled."""
    module = "cnn_ablation: the run"
    _define("conv", "auto", "lowering of convolutions: auto, native, xla or banded", module)
    text = "how many devices to train on (default: one per seed, as far as there are any)"
    _define("devices", None, text, module, kind=int)
    text = "how many seeds a device trains together, as one vectorised program"
    _define("seeds_per_device", 1, text, module)
    _define(
        "compilation_cache_dir",
        None,
        "folder of compiled programs (default: per user; empty: none kept)",
        module,
    )


def define_host_flags() -> None:
    """Defines the flags of a run on several hosts."""
    module = "cnn_ablation: several hosts"
    _define(
        "coordinator",
        None,
        "HOST:PORT of host 0, the same on every host; every host runs the same command with its "
        "own --host. auto: as a TPU pod or Slurm says (default: this host alone)",
        module,
    )
    _define("num_hosts", None, "how many hosts there are", module, kind=int)
    _define("host", None, "which of the hosts this is; 0 prints and writes", module, kind=int)
    text = "seconds without a sign of life after which a host counts as gone, and the run ends"
    _define("heartbeat_seconds", HostOptions.heartbeat_seconds, text, module)
    text = "seconds to wait for all hosts at the start"
    _define("join_seconds", HostOptions.join_seconds, text, module)


def host_options() -> HostOptions:
    """The hosts that the flags describe.

    Raises:
        InputError: a flag's value is not allowed; the message names it.
    """
    given: dict[str, Any] = {
        field.name: FLAGS[field.name].value for field in dataclasses.fields(HostOptions)
    }
    options = HostOptions(**given)
    options.check()
    return options


def define_tracker_flags() -> None:
    """Defines the flags of where figures can also be followed."""
    module = "cnn_ablation: trackers"
    text = "write TensorBoard's event files into WORKDIR/tensorboard"
    flags.DEFINE_boolean("tensorboard", False, text, module_name=module)
    text = "log to this store of MLflow, such as sqlite:///mlflow.db (default: to none)"
    _define("mlflow", "", text, module)


def training_settings() -> tuple[TrainingSpec, DataSpec]:
    """The training procedure and the images that the flags describe.

    Raises:
        InputError: a flag's value is not allowed; the message names it.
    """
    try:
        return TrainingSpec(**_values(TrainingSpec)), DataSpec(**_values(DataSpec))
    except FieldError as error:
        raise InputError(f"--{error}") from None


def trial_spec() -> TrialSpec:
    """The spec that the flags describe, its image shape and classes taken from the dataset.

    Raises:
        InputError: a flag's value is not allowed; the message names it.
    """
    training, data = training_settings()
    try:
        image_shape, classes = describe_dataset(data.dataset, FLAGS.data_dir)
        network = NetworkSpec(image_shape=image_shape, classes=classes, **_values(NetworkSpec))
    except FieldError as error:
        raise InputError(f"--{error}") from None
    return TrialSpec(network, training, data)


def seeds() -> range:
    """The seeds that `--seed` and `--num_seeds` name.

    Raises:
        InputError: one of the two is out of range.
    """
    first, count = FLAGS.seed, FLAGS.num_seeds
    if count < 1:
        raise InputError(f"--num_seeds={count}: must be a whole number of 1 or more")
    if not 0 <= first <= MAX_SEED - count + 1:
        raise InputError(f"--seed={first}: seeds must lie from 0 to {MAX_SEED}")
    return range(first, first + count)


def _define_from(spec: type, module: str) -> None:
    for field in _options(spec):
        _define(
            field.name,
            field.default,
            field.metadata["help"],
            module,
            per_block=field.metadata.get("per_block", False),
        )


def _define(
    name: str,
    default: Any,
    text: str,
    module: str,
    *,
    per_block: bool = False,
    kind: type | None = None,
) -> None:
    example = default[0] if isinstance(default, tuple) else default
    kind = kind or (str if example is None else type(example))
    flags.DEFINE(
        _Parser(kind, per_block), name, default, text, serializer=_Serializer(), module_name=module
    )


def _options(spec: type) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(spec) if "help" in field.metadata]


def _values(spec: type) -> dict[str, Any]:
    return {field.name: FLAGS[field.name].value for field in _options(spec)}
