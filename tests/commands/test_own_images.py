"""A user's own images from the command line: a folder in workers, an npz file, mistakes."""

import json
import subprocess
from pathlib import Path
from typing import Any

import forked
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "tests" / "helpers" / "small_study.py"


def run(*words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return forked.run(*words, cwd=cwd, env=forked.QUICKLY_COMPILED)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with `photos/`, images of one folder a class, and `mine.npz`."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (40, 9, 10), np.uint8), np.arange(40) % 2
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        folder = tmp_path / "photos" / ("left", "right")[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{index}.png")
    arrays: dict[str, Any] = {"x_train": images[:30], "y_train": labels[:30]}
    np.savez(tmp_path / "mine.npz", x_test=images[30:], y_test=labels[30:], **arrays)
    return tmp_path


@pytest.mark.processes
def test_a_folder_is_trained_on_by_workers_of_a_study_and_called_by_its_name(here: Path) -> None:
    words = ["--dataset=./photos", "--executor=processes", "--workers=1", "--timing_rounds=0"]
    words += ["--nocontrols", "--num_seeds=1", "--epochs=1", "--workdir=study", "--label_noise=0.1"]
    done = run(str(STUDY), *words, cwd=here)
    assert done.returncode == 0, done.stdout + done.stderr
    trials = [json.loads(line) for line in (here / "study" / "trials.jsonl").open()]
    assert [trial["status"] for trial in trials] == ["completed"] * 2
    assert {trial["spec"]["data"]["dataset"] for trial in trials} == {"./photos"}
    assert all(trial["spec"]["network"]["image_shape"] == [9, 10, 1] for trial in trials)
    report = (here / "study" / "report" / "report.md").read_text()
    assert "on photos arrays-" in report
    assert "noise 0.1" in report
    Image.fromarray(np.zeros((9, 10), np.uint8)).save(here / "photos" / "left" / "0.png")
    changed = run(str(STUDY), *words, cwd=here)
    assert changed.returncode == 2
    assert "dataset version=arrays-" in changed.stderr, "other images are not mixed in"
    assert len(changed.stderr.splitlines()) == 1


def test_an_npz_file_is_trained_on_and_a_mistake_in_it_named(here: Path) -> None:
    words = ["-m", "cnn_ablation.main", "--conv=xla", "--epochs=1", "--workdir=run"]
    done = run(*words, "--dataset=mine.npz", "--image_size=8", "--train_fraction=0.5", cwd=here)
    assert done.returncode == 0, done.stderr
    document = json.loads((here / "run" / "metrics.json").read_text())
    assert document["dataset"]["name"] == "mine"
    assert (document["dataset"]["train_examples"], document["spec"]["network"]["classes"]) == (
        15,
        2,
    )
    assert document["spec"]["network"]["image_shape"] == [8, 8, 1]
    Image.fromarray(np.zeros((9, 11), np.uint8)).save(here / "photos" / "left" / "0.png")
    refused = run(*words, "--dataset=./photos", cwd=here)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: photos/")
    assert "all must be of one size, or be resized by --image_size" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
