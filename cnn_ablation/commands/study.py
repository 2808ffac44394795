"""The command that every study is: its flags, and what its `--help` says."""

import shlex
import sys

from cnn_ablation.commands import entry, flags
from cnn_ablation.commands.starting import start
from cnn_ablation.design import NetworkSpec, TrainingSpec
from cnn_ablation.execution import extensions, hosts
from cnn_ablation.execution.executors.options import ExecutorOptions
from cnn_ablation.execution.options import NUM_SEEDS, StudyOptions
from cnn_ablation.execution.tuning import TuneOptions
from cnn_ablation.study import Study
from cnn_ablation.study.checks import check_study

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
    controls: bool = True,
) -> None:
    """Runs a study as its flags say, and exits.

    Args:
        study: the declaration.
        description: what `--help` prints first: the file's docstring.
        training: the defaults of the training flags; None is the package's own.
        controls: the default of `--controls`.
    """
    if extensions.is_loading():
        raise extensions.ExtensionLoaded
    check_study(study)
    _define_flags(training, controls=controls)
    help_text = f"{(description or study.title).strip()}\n\n{OWN_STUDY}"
    entry.run(lambda: _main(study, training), help_text, explain=_explain)


def _define_flags(training: TrainingSpec | None, *, controls: bool) -> None:
    flags.define_training_flags(training)
    flags.define_seed_flags(num_seeds=NUM_SEEDS, sequential=True)
    flags.define_compute_flags()
    flags.define_tracker_flags()
    flags.define_host_flags()
    flags.define_record(StudyOptions, _MODULE, controls=controls)
    flags.define_record(TuneOptions, _MODULE)
    flags.define_record(ExecutorOptions, _MODULE)


def _main(study: Study, base: TrainingSpec | None) -> int:
    host_options = flags.host_options()
    hosts.supervise(host_options.coordinator)
    training, data = flags.training_settings(base)
    options = flags.study_options(
        training=training, data=data, program=_program(), **flags.seed_options()
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
