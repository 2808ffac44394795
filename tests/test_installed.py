"""The package as a user installs it: a wheel in an environment of its own, in an empty folder.

The environment is fresh, but for other packages, which it takes from the one that runs the tests.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
TINY = ["--executor=inline", "--conv=xla", "--num_seeds=1", "--timing_rounds=0"]
MNIST = ["--train_split=train[:1%]", "--test_split=test[:1%]"]
STUDY = """
name = "photos"
title = "Does width matter on my photos?"

[data]
dataset = "./photos"
image_size = 10

[training]
epochs = 1

[[question]]
name = "width"
axes.hidden = [3, 4]

[[question.claim]]
name = "more"
text = "more units have more parameters"
metric = "params"
order = ["hidden=4", "hidden=3"]
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that has the wheel and no checkout."""
    for package in ("pip", "setuptools"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    for name in ("cnn_ablation", "docs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, source / name)
    offline = ["--no-deps", "--no-index", "--disable-pip-version-check", "-q"]
    build = ["wheel", "--no-build-isolation", *offline, f"--wheel-dir={folder}", str(source)]
    run([sys.executable, "-m", "pip", *build], folder)
    run([sys.executable, "-m", "venv", "--without-pip", "fresh"], folder)
    programs = folder / "fresh" / "bin"
    inside = run([programs / "python", "-c", PLACE], folder).stdout.strip()
    # Of a folder that is named so no .pth file counts: an editable checkout is not found.
    (Path(inside) / "others.pth").write_text(sysconfig.get_paths()["purelib"])
    (wheel,) = folder.glob("cnn_ablation-*.whl")
    install = ["install", "--ignore-installed", *offline, str(wheel)]
    run([programs / "python", "-m", "pip", *install], folder)
    return programs


PLACE = "import sysconfig; print(sysconfig.get_paths()['purelib'])"


def run(
    command: list[str | Path], folder: Path, code: int = 0
) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # Most of the time is XLA's compiling, which need not make these programs fast.
    environment["XLA_FLAGS"] = "--xla_backend_optimization_level=0"
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


@pytest.mark.slow
def test_a_user_gets_from_nothing_to_an_answer(installed: Path, tmp_path: Path) -> None:
    command = installed / "cnn-ablation"
    found = json.loads(run([command, "doctor", "--json"], tmp_path).stdout)
    (own,) = [one["says"] for one in found if one["name"] == "cnn_ablation"]
    assert str(installed.parent) in own
    assert own.endswith("(installed)")

    flags = [*TINY, *MNIST, "--epochs=1", "--nocontrols", "--workdir=padding"]
    run([command, "study", "padding", *flags], tmp_path)
    assert len((tmp_path / "padding" / "trials.jsonl").read_text().splitlines()) == 3
    assert (tmp_path / "padding" / "report" / "report.html").exists()

    photos(tmp_path / "photos")
    (tmp_path / "photos.toml").write_text(STUDY)
    said = run([command, "study", "photos.toml", *TINY, "--workdir=photos-study"], tmp_path).stdout
    assert "Holds: more units have more parameters" in said

    train = [f"--{flag}" for flag in ("dataset=./photos", "image_size=10", "epochs=1", "conv=xla")]
    run([command, "train", *train, "--save_params", "--workdir=run"], tmp_path)
    answers = run([command, "predict", "run", "photos/dark", "--json"], tmp_path).stdout
    first = json.loads(answers.splitlines()[0])
    assert first["name"] in ("dark", "light")
    assert first["label"] == 0
    run([command, "export", "run", "photos-study", "--out=all.csv"], tmp_path)
    missing = run([installed / "python", "-m", "experiments.stride"], tmp_path, code=1)
    assert "No module named" in missing.stderr


def photos(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for name, base in (("dark", 0), ("light", 150)):
        (folder / name).mkdir(parents=True)
        for number in range(10):
            pixels = rng.integers(base, base + 100, (14, 12), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def test_the_page_of_the_package_names_no_other_command() -> None:
    from cnn_ablation.__main__ import COMMANDS

    text = (ROOT / "docs" / "package.md").read_text()
    used = {line.split()[1] for line in text.splitlines() if line.startswith("cnn-ablation ")}
    assert used <= {"--help", *(command.name for command in COMMANDS)}
