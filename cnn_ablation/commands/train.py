"""The command that trains one design: its flags, and what they start."""

from typing import NoReturn

from cnn_ablation.commands import entry, flags
from cnn_ablation.commands.starting import start
from cnn_ablation.execution import hosts

flags.define_network_flags()
flags.define_training_flags()
flags.define_seed_flags(num_seeds=1)
flags.define_single_flags()
flags.define_compute_flags()
flags.define_tracker_flags()
flags.define_host_flags()


def main() -> int:
    """Trains what the flags describe."""
    host_options = flags.host_options()
    hosts.supervise(host_options.coordinator)
    spec = flags.trial_spec()
    options = flags.study_options(
        training=spec.training,
        data=spec.data,
        seeds=flags.seeds(),
        controls=False,
        timing_rounds=0,
        executor="inline",
        retry_failed=True,
    )
    start(host_options)
    # Imported late: a mistake in a flag, or --help, need not wait for JAX.
    from cnn_ablation.commands.single_design import follow_design, foretell_design, train_design

    if options.dry_run:
        foretell_design(spec, options)
        return 0
    if not hosts.is_lead():
        follow_design(spec, options)
        return 0
    return train_design(spec, options, overwrite=flags.FLAGS.overwrite)


def run(description: str) -> NoReturn:
    """Trains what the command line describes, and exits.

    Args:
        description: what `--help` prints above the flags.
    """
    program = "python -m cnn_ablation.main"
    entry.run(main, description.replace(program, entry.called_as("main")))
