"""`--save_params`: a model a seed, there before its trial is, and never another run's."""

from pathlib import Path

import numpy as np
import pytest

import cnn_ablation as cnn
from cnn_ablation.commands.single_design import train_design
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.models.files import load

LABELS = np.arange(60) % 2
IMAGES = (
    np.random.default_rng(0).integers(0, 100, (60, 6, 6)) + 100 * LABELS[:, None, None]
).astype(np.uint8)
SPEC = cnn.TrialSpec(
    cnn.NetworkSpec(features=2, hidden=4, image_shape=(6, 6, 1), classes=2),
    cnn.TrainingSpec(epochs=1, batch_size=32),
)


@pytest.fixture
def spec(tmp_path: Path) -> cnn.TrialSpec:
    np.savez(tmp_path / "pair.npz", x_train=IMAGES, y_train=LABELS, x_test=IMAGES, y_test=LABELS)
    return SPEC.replace(dataset=str(tmp_path / "pair.npz"))


def run(spec: cnn.TrialSpec, folder: Path, seeds: range, **more: object) -> int:
    overwrite = bool(more.pop("overwrite", False))
    options = StudyOptions.of(
        seeds=seeds,
        training=spec.training,
        data=spec.data,
        workdir=str(folder),
        controls=False,
        timing_rounds=0,
        executor="inline",
        conv="xla",
        **more,
    )
    return train_design(spec, options, overwrite=overwrite)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("*model-seed*"))


def test_a_model_of_each_seed_is_kept(spec: cnn.TrialSpec, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run(spec, folder, range(2), save_params=True) == 0
    assert names(folder) == ["model-seed0.safetensors", "model-seed1.safetensors"]
    model = load(folder / "model-seed1.safetensors")
    assert (model.spec, model.seed, model.class_names) == (spec, 1, ("0", "1"))
    # A finished run that is replaced leaves no model behind that is not the new one's.
    assert run(spec, folder, range(1), overwrite=True) == 0
    assert names(folder) == []


def test_a_run_that_goes_on_gets_the_models_it_lacks(spec: cnn.TrialSpec, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run(spec, folder, range(2)) == 0
    (folder / "metrics.json").unlink()
    lines = (folder / "trials.jsonl").read_text()
    assert run(spec, folder, range(2), save_params=True) == 0
    assert names(folder) == ["model-seed0.safetensors", "model-seed1.safetensors"]
    assert (folder / "trials.jsonl").read_text() == lines, "a result stays what it was"
    epochs = (folder / "metrics.jsonl").read_text().splitlines()
    assert len(epochs) == 2


def test_models_of_another_design_are_set_aside(spec: cnn.TrialSpec, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run(spec, folder, range(1), save_params=True) == 0
    (folder / "metrics.json").unlink()
    assert run(spec.replace(hidden=5), folder, range(1)) == 0
    (kept,) = names(folder)
    assert kept.startswith("unfinished-")
