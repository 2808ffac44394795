"""Flags made from the fields that options declare, and options made from flags."""

from __future__ import annotations

import dataclasses
from typing import Any

from absl import flags

from cnn_ablation.commands.option_flags import define, define_all, given_flags
from cnn_ablation.data import DataLocation, describe_data
from cnn_ablation.design import MAX_SEED, DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.design.training import owners
from cnn_ablation.errors import FieldError, InputError, as_typed
from cnn_ablation.execution.hosts import HostOptions
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.options import TEXT, WHOLE, YES_NO, Option, declared
from cnn_ablation.options.fields import defaults
from cnn_ablation.trackers.options import TrackerOptions
from cnn_ablation.training.compute import ComputeOptions

FLAGS = flags.FLAGS
RUN = "cnn_ablation: the run"


def read_seeds(text: str) -> Any:
    """A number of seeds, or the two of `10..60`.

    Raises:
        ValueError: it is neither.
    """
    first, dots, most = text.partition("..")
    return (int(first), int(most)) if dots else int(first)


_SEEDS = dataclasses.replace(
    WHOLE, words="a whole number, or two as in 10..60", read=read_seeds, accepts=lambda _: True
)


def define_network_flags() -> None:
    """Defines the flags of the network: what the design is."""
    define_all(NetworkSpec.every_option(), NetworkSpec().values(), "cnn_ablation: the network")


def define_training_flags(
    training: TrainingSpec | None = None, data: DataSpec | None = None
) -> None:
    """Defines the flags of the training, the data and where data are: how any design is trained.

    Args:
        training: the defaults of the flags; None is the package's own.
        data: likewise.
    """
    own = declared(TrainingSpec)
    every = {
        name: its if name in own else _owned(name, its)
        for name, its in TrainingSpec.every_option().items()
    }
    define_all(every, (training or TrainingSpec()).values(), "cnn_ablation: training")
    define_all(DataSpec.every_option(), (data or DataSpec()).values(), "cnn_ablation: data")
    define_record(DataLocation, "cnn_ablation: data")


def define_seed_flags(
    num_seeds: int | tuple[int, int], *, seed: int = 0, sequential: bool = False
) -> None:
    """Defines `--seed` and `--num_seeds`.

    Args:
        num_seeds: the default.
        seed: the default of the first.
        sequential: whether the number may be a range, which makes a study sequential.
    """
    for name, its in seed_flags(sequential=sequential).items():
        define(name, seed if name == "seed" else num_seeds, its, "cnn_ablation: seeds")


def seed_flags(*, sequential: bool) -> dict[str, Option]:
    """`--seed` and `--num_seeds` as options.

    Args:
        sequential: whether the number may be a range.
    """
    text = "how many seeds, counted up from the first"
    if sequential:
        text += "; 10..60 trains until every claim is decided, with 10 to 60 seeds"
    return {
        "seed": Option(WHOLE, "first seed"),
        "num_seeds": Option(_SEEDS if sequential else WHOLE, text),
    }


def define_single_flags() -> None:
    """Defines the flags of where one design's results go."""
    module = RUN
    text = "folder for results (default: a new one under runs/)"
    define("workdir", None, Option(TEXT, text, optional=True), module)
    text = "replace a finished run in the workdir"
    define("overwrite", False, Option(YES_NO, text), module)
    define("dry_run", False, declared(StudyOptions)["dry_run"], module)
    define("save_params", False, declared(StudyOptions)["save_params"], module)


def define_compute_flags() -> None:
    """Defines the flags of how programs are placed, lowered and compiled."""
    define_record(ComputeOptions, RUN)


def define_tracker_flags() -> None:
    """Defines the flags of where figures can also be followed."""
    define_record(TrackerOptions, "cnn_ablation: trackers")


def define_host_flags() -> None:
    """Defines the flags of a run on several hosts."""
    module = "cnn_ablation: several hosts"
    text = (
        "HOST:PORT of host 0, the same on every host; every host runs the same command with its "
        "own --host. auto: as a TPU pod or Slurm says (default: this host alone)"
    )
    define("coordinator", None, Option(TEXT, text, optional=True), module)
    for name, text in (
        ("num_hosts", "how many hosts there are"),
        ("host", "which of the hosts this is; 0 prints and writes"),
    ):
        define(name, None, Option(WHOLE, text, optional=True), module)
    for name, text in (
        (
            "heartbeat_seconds",
            "seconds without a sign of life after which a host counts as gone, and the run ends",
        ),
        ("join_seconds", "seconds to wait for all hosts at the start"),
    ):
        define(name, getattr(HostOptions, name), Option(WHOLE, text), module)
    text = (
        "file of mode 600 with a secret that all hosts know (default: $CNN_ABLATION_SECRET, or a "
        "random one in the user's cache, for hosts that share a home)"
    )
    define("secret_file", None, Option(TEXT, text, optional=True), module)


def define_record(record: type, module: str, **own_defaults: Any) -> None:
    """Defines a flag for each option of a dataclass.

    Args:
        record: the dataclass.
        module: heading in `--help`.
        **own_defaults: other defaults than the dataclass's, by name.
    """
    define_all(declared(record), {**defaults(record), **own_defaults}, module)


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


def training_settings(
    training: TrainingSpec | None = None, data: DataSpec | None = None
) -> tuple[TrainingSpec, DataSpec]:
    """The training procedure and the images that the flags describe.

    Args:
        training: what flags that are not given leave as it is; None is the package's own.
        data: likewise.

    Raises:
        InputError: a flag's value is not allowed; the message names it.
    """
    training = training or TrainingSpec()
    try:
        return (
            training.replace(**given_flags(TrainingSpec.every_option())),
            (data or DataSpec()).replace(**given_flags(DataSpec.every_option())),
        )
    except FieldError as error:
        raise InputError(f"--{error}") from None


def trial_spec() -> TrialSpec:
    """The spec that the flags describe, its image shape and classes taken from the dataset.

    Raises:
        InputError: a flag's value is not allowed; the message names it.
    """
    training, data = training_settings()
    facts: dict[str, Any] = {}
    try:
        image_shape, classes = describe_data(data, DataLocation(FLAGS.data_dir))
        given = given_flags(NetworkSpec.every_option())
        facts = {"image_shape": image_shape, "classes": classes}
        network = NetworkSpec(**facts, **given)
    except FieldError as error:
        raise InputError(f"--{_blame(error, facts, given) if facts else error}") from None
    return TrialSpec(network, training, data)


def _blame(error: FieldError, facts: dict[str, Any], given: dict[str, Any]) -> str:
    """What is wrong with a network, said of a flag that was given.

    A value that was left at its default is not to blame, but the one that does not go with it: the
    one without which the network would be whole.
    """
    if error.field in given:
        return str(error)
    for name, value in given.items():
        others = {other: its for other, its in given.items() if other != name}
        try:
            NetworkSpec(**facts, **others)
        except FieldError:
            continue
        misfit = error.allowed.partition("; allowed here")[0]
        beside = f"{error.field}={as_typed(error.value)}, the default"
        return f"{name}={as_typed(value)}: {misfit}; must go with {beside}"
    return str(error)


def study_options(**given: Any) -> StudyOptions:
    """The options that the flags describe, as far as flags of these names are defined.

    Args:
        **given: values that no flag describes.

    Raises:
        InputError: a flag's value is not allowed; the message names it.
    """
    from cnn_ablation.execution.options import RECORDS

    names = [*declared(StudyOptions), *(n for kind in RECORDS.values() for n in declared(kind))]
    values = {name: FLAGS[name].value for name in names if name in FLAGS and name not in given}
    try:
        return StudyOptions.of(**values, **given)
    except FieldError as error:
        raise InputError(f"--{error}") from None


def seed_options() -> dict[str, Any]:
    """What `--seed` and `--num_seeds` say, as options of a study: its seeds, and its looks' limits.

    Raises:
        InputError: one of the two is out of range.
    """
    if isinstance(FLAGS.num_seeds, int):
        return {"seeds": seeds()}
    first, most = FLAGS.num_seeds
    for name in ("max_seeds", "looks"):
        if FLAGS[name].present:
            raise InputError(
                f"--num_seeds={first}..{most}: must be a number where --{name} is given"
            )
    if most < first:
        raise InputError(f"--num_seeds={first}..{most}: must rise")
    seeds(most)
    return {"seeds": seeds(first), "until_decided": True, "max_seeds": most}


def seeds(count: int | None = None) -> range:
    """The seeds that `--seed` and `--num_seeds` name.

    Args:
        count: how many; None is what the flag says.

    Raises:
        InputError: one of the two is out of range.
    """
    first, count = FLAGS.seed, FLAGS.num_seeds if count is None else count
    if count < 1:
        raise InputError(f"--num_seeds={count}: must be a whole number of 1 or more")
    if not 0 <= first <= MAX_SEED - count + 1:
        raise InputError(f"--seed={first}: seeds must lie from 0 to {MAX_SEED}")
    return range(first, first + count)


def _owned(name: str, its: Option) -> Option:
    """An option of optimizers or schedules, whose help says whose it is, and each one's default."""
    texts = [
        f"{owner}: {declared(entry)[name].help} (default {as_typed(defaults(entry)[name])})"
        for owner, entry in owners(name).items()
    ]
    return dataclasses.replace(its, help="; ".join(texts), optional=True)
