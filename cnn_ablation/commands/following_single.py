"""What all hosts but host 0 do in a run of one design: the same training, told to nobody."""

from collections.abc import Sequence

from cnn_ablation.commands.single_design import RunOptions, run_facts
from cnn_ablation.data import load_data
from cnn_ablation.design.spec import TrialSpec
from cnn_ablation.execution import hosts
from cnn_ablation.network.lowerings import resolve_form
from cnn_ablation.training.mesh import choose_devices
from cnn_ablation.training.trainer import fit


def follow_trials(spec: TrialSpec, seeds: Sequence[int], options: RunOptions) -> None:
    """Trains every seed as `run_trials` does on host 0, and writes nothing.

    Raises:
        InputError: an option is not allowed, or is not what host 0 was given.
    """
    devices = choose_devices(options.devices, len(seeds), options.seeds_per_device)
    form = resolve_form(options.conv, devices[0].platform)
    dataset = load_data(spec.data, data_dir=options.data_dir, manual_dir=options.manual_dir)
    hosts.require_same(run_facts(spec, seeds, options, dataset, form, len(devices)))
    fit(spec, dataset, seeds, conv=form, devices=devices, seeds_per_device=options.seeds_per_device)
