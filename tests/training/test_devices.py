"""The mesh, and training on eight virtual devices, in a process of its own."""

import json
import os
import subprocess
import sys
from typing import Any

import jax
import pytest

from cnn_ablation.errors import InputError
from cnn_ablation.training.mesh import choose_devices, mesh_shape

SCRIPT = """
import json, sys
import jax, numpy as np
from cnn_ablation.training import steps, trainer
from cnn_ablation.training.compute import ComputeOptions
from cnn_ablation.data.dataset import Dataset, LabeledImages
from cnn_ablation.design import NetworkSpec, TrainingSpec, TrialSpec

steps.EVAL_BATCH_SIZE = 40  # Several batches of tests, the last one short.
generator = np.random.default_rng(0)
labels = generator.integers(0, 4, 150).astype(np.int32)
images = generator.integers(0, 64, (150, 8, 9, 2)).astype(np.uint8)
images[np.arange(150), labels * 2] += 150
split = LabeledImages(images, labels)
dataset = Dataset("made_up", "1.0.0", "train", "test", 4, split, split)
network = NetworkSpec(features=(2, 3), hidden=5, classes=4, image_shape=(8, 9, 2))
spec = TrialSpec(network, TrainingSpec(batch_size=20, epochs=2))
answer = {}
for count, seeds, together in json.loads(sys.argv[1]):
    trials = trainer.fit(
        spec,
        dataset,
        seeds=range(seeds),
        compute=ComputeOptions(conv=sys.argv[2], seeds_per_device=together),
        devices=jax.devices()[:count],
    )
    answer[f"{count}x{seeds}x{together}"] = [
        [[e.train_loss, e.train_accuracy, e.test_loss, e.test_accuracy] for e in t.record.epochs]
        + [t.record.test_correct.bits().tolist()]
        for t in trials
    ]
print(json.dumps(answer))
"""


def train(cases: list[tuple[int, int, int]], conv: str = "xla") -> dict[str, Any]:
    flags = os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(cases), conv],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("conv", ["xla", "auto"])
def test_any_mesh_trains_as_one_device_does(conv: str) -> None:
    # Seeds only; batch only, in shards that do not divide it; both; seeds that do not divide;
    # several seeds on each device.
    meshes = [(1, 5, 1), (4, 4, 1), (8, 1, 1), (3, 1, 1), (8, 2, 1), (6, 5, 1)]
    vectorised = [(1, 5, 5), (1, 4, 3), (2, 5, 2), (8, 3, 2)]
    figures = train(meshes + vectorised, conv)
    alone = figures.pop("1x5x1")
    for name, trials in figures.items():
        for seed, epochs in enumerate(trials):
            for got, expected in zip(epochs, alone[seed], strict=True):
                assert got == pytest.approx(expected, rel=2e-4), name
    assert figures["4x4x1"] == alone[:4]


@pytest.mark.parametrize(
    ("devices", "seeds", "shape"),
    [
        (1, 1, (1, 1)),
        (1, 9, (1, 1)),
        (8, 8, (8, 1)),
        (8, 100, (8, 1)),
        (8, 3, (2, 4)),
        (6, 4, (3, 2)),
    ],
)
def test_seeds_come_before_batches(devices: int, seeds: int, shape: tuple[int, int]) -> None:
    assert mesh_shape(devices, seeds) == shape


def test_more_devices_than_there_are_is_refused() -> None:
    assert choose_devices(None, seeds=3) == jax.devices()[:3]
    with pytest.raises(InputError, match=r"--devices=4096: must be from 1 to "):
        choose_devices(4096, seeds=1)
    with pytest.raises(InputError, match="--devices=0"):
        choose_devices(0, seeds=1)
    with pytest.raises(InputError, match="--seeds_per_device=0: must be 1 or more"):
        choose_devices(None, seeds=1, seeds_per_device=0)


def test_devices_are_taken_as_seeds_fill_them() -> None:
    count = len(jax.devices())
    assert len(choose_devices(None, seeds=count, seeds_per_device=count)) == 1
