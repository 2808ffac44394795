"""A study's flags, and what its `--help` says."""

import dataclasses
from typing import Any

from absl import flags as absl_flags

from cnn_ablation.commands import entry, flags
from cnn_ablation.design.spec import TrainingSpec
from cnn_ablation.execution import hosts
from cnn_ablation.execution.options import AUTO
from cnn_ablation.study import Study

NUM_SEEDS, TIMING_ROUNDS = 10, 10
_MODULE = "cnn_ablation: the study"

OWN_STUDY = '''A study of your own is a file like this one, say wide.py; python wide.py runs it:

    """Do wider convolutions pay?"""
    from cnn_ablation import study_command
    from cnn_ablation.claims import Claim
    from cnn_ablation.design.spec import NetworkSpec
    from cnn_ablation.study import Question, Study, one_axis

    widths = one_axis(NetworkSpec(stride=2), "features", ((4, 8), (8, 16), (16, 32)))
    wider = Claim("wider", "width", "twice the channels are more accurate", "test_accuracy",
                  (("features=16,32", "features=8,16"), ("features=8,16", "features=4,8")))
    STUDY = Study("wide", "Do wider convolutions pay?",
                  (Question("width", "Channels", widths, (wider,)),))
    if __name__ == "__main__":
        study_command.run(STUDY, __doc__)

grid(base, {"stride": (1, 2), "pool": (1, 2)}) in place of one_axis gives every combination.

The same command goes on where it was stopped, and runs only what is missing: so do more seeds, or
another variant. Exit codes: 0 done, 1 a claim is not as expected (--check), 2 bad input, 3 trials
failed, 130 stopped.'''


def run(
    study: Study,
    description: str | None,
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
    _define_flags(training or TrainingSpec(), controls=controls)
    help_text = f"{(description or study.title).strip()}\n\n{OWN_STUDY}"
    entry.run(lambda: _main(study), help_text)


def _define_flags(training: TrainingSpec, *, controls: bool) -> None:
    flags.define_training_flags()
    for name, value in dataclasses.asdict(training).items():
        flags.FLAGS.set_default(name, value)
    flags.define_seed_flags(num_seeds=NUM_SEEDS)
    flags.define_program_flags()
    flags.define_tracker_flags()
    flags.define_host_flags()
    _string("workdir", None, "folder of the study (default: under runs/, by study and settings)")
    _boolean("controls", controls, "add the control arm: the same designs at equal parameters")
    _integer(
        "timing_rounds",
        TIMING_ROUNDS,
        "rounds in which each design is timed alone after all trials; 0 leaves times out. The "
        "sign-flip test decides nothing on time with fewer than 9 or so",
    )
    _string(
        "executor",
        AUTO,
        "where trials run: inline (one by one), processes (a pool), ray (a cluster), or auto: "
        "processes on a CPU of several cores, else inline",
    )
    _integer("workers", None, "processes in the pool (default: one per core; ray: all that fit)")
    _string(
        "ray_address",
        "",
        "Ray cluster for --executor=ray: auto, host:port or ray://host:port (default: one on this "
        "machine, for as long as the study runs)",
    )
    _boolean("retry_failed", False, "run trials again that failed")
    _boolean("check", False, "exit with 1 when a claim is not as expected")


def _main(study: Study) -> int:
    host_options = flags.host_options()
    hosts.supervise(host_options.coordinator)
    training, data = flags.training_settings()
    seeds = flags.seeds()
    hosts.join(host_options)
    # Imported late: a mistake in a flag, or --help, need not wait for JAX.
    from cnn_ablation.execution.following import follow_study
    from cnn_ablation.execution.runner import StudyOptions, run_study

    names = {field.name for field in dataclasses.fields(StudyOptions)}
    given: dict[str, Any] = {name: flags.FLAGS[name].value for name in names if name in flags.FLAGS}
    run_or_follow = run_study if hosts.is_lead() else follow_study
    return run_or_follow(study, StudyOptions(training=training, data=data, seeds=seeds, **given))


def _string(name: str, default: str | None, text: str) -> None:
    absl_flags.DEFINE_string(name, default, text, module_name=_MODULE)


def _integer(name: str, default: int | None, text: str) -> None:
    absl_flags.DEFINE_integer(name, default, text, module_name=_MODULE)


def _boolean(name: str, default: bool, text: str) -> None:
    absl_flags.DEFINE_boolean(name, default, text, module_name=_MODULE)
