"""Trains one CNN design for one seed or several, and writes its figures as JSON.

    python -m cnn_ablation.main --stride=2
    python -m cnn_ablation.main --kernel_size=7,9 --seed=100 --num_seeds=5 --workdir=runs/k79

Block options take one value for all blocks or one per block: --padding=same,valid.
A run that was stopped goes on with the same command and --workdir.
"""

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


def run() -> None:
    """Trains what the command line describes, and exits."""
    program = "python -m cnn_ablation.main"
    entry.run(main, (__doc__ or "").replace(program, entry.called_as("main")))


if __name__ == "__main__":
    run()
