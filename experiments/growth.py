"""How the cost of a step grows with the batch and with the images, on this CPU.

    python -m experiments.growth                                   the pool-2 network, a few minutes
    python -m experiments.growth --design=stride-2 --sides=28,96 --channels=3 --batch_sizes=128

Trains on random images, an epoch to warm up and one that is timed. GFLOP/s are useful ones, as in
the benchmark; the peak is what fused multiply-adds alone reach on all processors that this process
may use.
"""

from __future__ import annotations

import os

import numpy as np
from absl import flags

import cnn_ablation as cnn
from cnn_ablation.commands import entry
from cnn_ablation.display.text import markdown_table
from cnn_ablation.errors import InputError
from cnn_ablation.execution.executors.cores import available_cores
from cnn_ablation.system.compilation import keep_compiled_programs
from cnn_ablation.system.hardware import describe_hardware
from experiments.choices import chosen, required
from experiments.peers.designs import DESIGNS
from experiments.peers.figures import useful_flop
from experiments.peers.peak import Peak, measure_peak

FLAGS = flags.FLAGS
_MODULE = "cnn_ablation: how cost grows"
_CLASSES, _LEAST_STEPS, _LEAST_IMAGES = 10, 4, 512

flags.DEFINE_string("design", "pool-2", "which design", module_name=_MODULE)
flags.DEFINE_list("sides", ["28", "64", "96"], "height and width of images", module_name=_MODULE)
flags.DEFINE_list("channels", ["1", "3"], "channels of images", module_name=_MODULE)
flags.DEFINE_list("batch_sizes", ["32", "128", "512"], "images of a step", module_name=_MODULE)


def main() -> int:
    """Measures what the flags describe, a line as soon as it is known."""
    network = chosen("design", FLAGS.design, DESIGNS)
    sides, channels, batches = (_numbers(flag) for flag in ("sides", "channels", "batch_sizes"))
    keep_compiled_programs(None)
    peak = measure_peak(len(available_cores()))
    rows = [["images", "batch", "ms a step", "us an image", "GFLOP/s", "share of the peak"]]
    for side in sides:
        for depth in channels:
            of_images = network.replace(image_shape=(side, side, depth), classes=_CLASSES)
            for batch in batches:
                seconds = step_seconds(of_images, batch)
                rows.append(_row(of_images, batch, seconds, peak))
                print(" | ".join(rows[-1]), flush=True)
    print(f"\n{_head(peak)}\n\n{markdown_table(rows)}")
    return 0


def step_seconds(network: cnn.NetworkSpec, batch: int) -> float:
    """Wall seconds of a training step on random images, the mean of an epoch's."""
    count = max(_LEAST_STEPS * batch, _LEAST_IMAGES)
    random = np.random.default_rng(0)
    images_NHWC = random.integers(0, 256, (count, *network.image_shape), np.uint8)
    labels_N = np.arange(count) % _CLASSES
    few = slice(_CLASSES)
    dataset = cnn.Dataset.from_arrays(
        "random", (images_NHWC, labels_N), (images_NHWC[few], labels_N[few])
    )
    training = cnn.TrainingSpec(batch_size=batch, epochs=2)
    spec = cnn.TrialSpec(network, training)
    record = cnn.Trainer(spec, dataset).train(0).record
    return record.epochs[-1].train_seconds / -(-count // batch)


def _numbers(flag: str) -> list[int]:
    """The numbers of a list flag.

    Raises:
        InputError: one is none, or there is none.
    """
    values = required(flag, FLAGS[flag].value or [])
    for value in values:
        if not value.isdecimal() or int(value) < 1:
            raise InputError(f"--{flag}={value}: must be whole numbers of 1 or more")
    return [int(value) for value in values]


def _row(network: cnn.NetworkSpec, batch: int, seconds: float, peak: Peak | None) -> list[str]:
    gflops = useful_flop(network) * batch / seconds / 1e9
    share = f"{gflops / peak.gflops:.0%}" if peak else "-"
    images = "x".join(map(str, network.image_shape))
    times = (f"{seconds * 1e3:.2f}", f"{seconds / batch * 1e6:.1f}")
    return [images, str(batch), *times, f"{gflops:.0f}", share]


def _head(peak: Peak | None) -> str:
    vectors = f", vectors of {peak.lanes} floats, peak {peak.gflops:.0f} GFLOP/s" if peak else ""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    processor = describe_hardware()["processor"]
    return f"{FLAGS.design}, {processor}, {len(available_cores())} processors{vectors}{load}"


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
