"""Trains one CNN design for one seed or several, and writes its figures as JSON.

    python -m cnn_ablation.main --stride=2
    python -m cnn_ablation.main --kernel_size=7,9 --seed=100 --num_seeds=5 --workdir=runs/k79

Block options take one value for all blocks or one per block: --padding=same,valid.
"""

from cnn_ablation.commands import entry, flags
from cnn_ablation.execution import hosts

flags.define_network_flags()
flags.define_training_flags()
flags.define_seed_flags(num_seeds=1)
flags.define_run_flags()
flags.define_tracker_flags()
flags.define_host_flags()


def main() -> int:
    """Trains what the flags describe."""
    host_options = flags.host_options()
    hosts.supervise(host_options.coordinator)
    spec, seeds = flags.trial_spec(), flags.seeds()
    hosts.join(host_options)
    # Imported late: a mistake in a flag, or --help, need not wait for JAX.
    from cnn_ablation.commands.following_single import follow_trials
    from cnn_ablation.commands.single_design import RunOptions, run_trials
    from cnn_ablation.system.compilation import keep_compiled_programs

    values = flags.FLAGS
    keep_compiled_programs(values.compilation_cache_dir)
    options = RunOptions(
        workdir=values.workdir,
        overwrite=values.overwrite,
        conv=values.conv,
        devices=values.devices,
        seeds_per_device=values.seeds_per_device,
        data_dir=values.data_dir,
        manual_dir=values.manual_dir,
        tensorboard=values.tensorboard,
        mlflow=values.mlflow,
    )
    train = run_trials if hosts.is_lead() else follow_trials
    train(spec, seeds, options)
    return 0


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
