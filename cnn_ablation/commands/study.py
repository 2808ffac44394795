"""The command that every study is: its flags, and what its `--help` says."""

import dataclasses
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from cnn_ablation.commands import entry, flags
from cnn_ablation.commands.starting import start
from cnn_ablation.data import Dataset, use_dataset
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec
from cnn_ablation.execution import extensions, hosts
from cnn_ablation.execution.executors.options import ExecutorOptions
from cnn_ablation.execution.options import NUM_SEEDS, StudyOptions
from cnn_ablation.execution.tuning import TuneOptions
from cnn_ablation.options import Option, declared
from cnn_ablation.study import Study
from cnn_ablation.study.checks import check_study
from cnn_ablation.training.compute import ComputeOptions

_MODULE = "cnn_ablation: the study"

# Not indented: it is made to be copied into a file.
OWN_STUDY = '''A study of your own is a file like this one, say wide.py; python wide.py runs it:

"""Do wider convolutions pay?"""
import cnn_ablation as cnn

widths = cnn.one_axis(cnn.NetworkSpec(stride=2), "features", ((4, 8), (8, 16), (16, 32)))
wider = cnn.Claim("wider", "width", "twice the channels are more accurate", "test_accuracy",
                  (("features=16,32", "features=8,16"), ("features=8,16", "features=4,8")))
STUDY = cnn.Study("wide", "Do wider convolutions pay?",
                  (cnn.Question("width", "Channels", widths, (wider,)),))
if __name__ == "__main__":
    cnn.run_study(STUDY, __doc__)

An axis may be any field of network, training or data, and
cnn.grid(base, {"stride": (1, 2), "optimizer": ("adadelta", "adam")}) gives every combination.

The same command goes on where it was stopped, and runs only what is missing. --num_seeds=10..60
trains until every claim is decided. Exit codes: 0 done, 1 a claim is not as expected (--check),
2 bad input, 3 trials failed, 130 stopped.'''


def run_study(
    study: Study,
    description: str | None = None,
    *,
    training: TrainingSpec | None = None,
    data: DataSpec | None = None,
    controls: bool = True,
    defaults: Mapping[str, Any] | None = None,
    dataset: Dataset | None = None,
    program: str | None = None,
) -> None:
    """Runs a study as its flags say, and exits.

    Args:
        study: the declaration.
        description: what `--help` prints first: the file's docstring.
        training: the defaults of the training flags; None is the package's own.
        data: likewise of the flags of the data.
        controls: the default of `--controls`.
        defaults: those of other flags, by name.
        dataset: images of your own, which `--dataset` then means where it is not given.
        program: what the user typed after `python`; None finds out.
    """
    if extensions.is_loading():
        raise extensions.ExtensionLoaded
    check_study(study)
    if dataset is not None:
        data = (data or DataSpec()).replace(dataset=use_dataset(dataset))
    begin = Settings(training, data, {"controls": controls, **(defaults or {})})
    _define_flags(begin)
    help_text = f"{(description or study.title).strip()}\n\n{OWN_STUDY}"
    called = _program() if program is None else program
    entry.run(lambda: _main(study, begin, called), help_text, explain=_explain)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What flags begin with.

    Attributes:
        training: the training procedure; None is the package's own.
        data: the images; None likewise.
        flags: other flags, by name.
    """

    training: TrainingSpec | None = None
    data: DataSpec | None = None
    flags: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def setting_flags() -> dict[str, Option]:
    """The flags of a study that are neither of training nor of data, by name."""
    records = (StudyOptions, TuneOptions, ExecutorOptions, ComputeOptions)
    return {name: its for of in records for name, its in declared(of).items() if its.flag}


def _define_flags(begin: Settings) -> None:
    own = dict(begin.flags)

    def define(record: type, module: str) -> None:
        theirs = {name: value for name, value in own.items() if name in declared(record)}
        flags.define_record(record, module, **theirs)

    flags.define_training_flags(begin.training, begin.data)
    seeds = own.get("num_seeds", NUM_SEEDS)
    flags.define_seed_flags(seeds, seed=own.get("seed", 0), sequential=True)
    define(ComputeOptions, flags.RUN)
    flags.define_tracker_flags()
    flags.define_host_flags()
    define(StudyOptions, _MODULE)
    define(TuneOptions, _MODULE)
    define(ExecutorOptions, _MODULE)


def _main(study: Study, begin: Settings, program: str) -> int:
    host_options = flags.host_options()
    hosts.supervise(host_options.coordinator)
    training, data = flags.training_settings(begin.training, begin.data)
    options = flags.study_options(
        training=training, data=data, program=program, **flags.seed_options()
    )
    start(host_options)
    # Imported late: a mistake in a flag, or --help, need not wait for JAX.
    from cnn_ablation.commands.conclusion import finish_study
    from cnn_ablation.commands.mapping import axes_of, finish_map
    from cnn_ablation.execution.dry_run import dry_run
    from cnn_ablation.execution.session import follow_study

    axes = axes_of(study, options)
    if axes:
        return finish_map(study, options, axes)
    if options.dry_run:
        dry_run(study, options)
        return 0
    if hosts.is_lead():
        return finish_study(study, options)
    follow_study(study, options)
    return 0


def _program() -> str:
    """What the user typed after `python`, as far as it names the study."""
    spec = sys.modules["__main__"].__spec__
    return f"-m {spec.name}" if spec else shlex.quote(sys.argv[0])


def _explain(flag: str) -> str | None:
    """Why a study has no flag for a field of the network."""
    if flag not in NetworkSpec.every_option():
        return None
    return (
        f"--{flag}: the networks of a study are in its file; change them there, or train one "
        f"design with python -m cnn_ablation.main --{flag}=..."
    )
