"""A user's own choices: registered in a study's file, trained by workers, named in reports."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cnn_ablation as cnn
from cnn_ablation.data import registered
from cnn_ablation.errors import InputError
from cnn_ablation.execution import extensions, preparing
from cnn_ablation.execution.executors import Job, Task
from cnn_ablation.execution.executors.cores import available_cores
from cnn_ablation.execution.executors.interface import Setup
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.options import Registry

ROOT = Path(__file__).parents[2]

# A study's file as a user writes it: what it registers, and the variants that are about it.
FILE = '''"""Does a choice of my own pay?"""
import cnn_ablation as cnn
{registers}
BASE = cnn.NetworkSpec(features=2, stride=5, pool=2, hidden=3)
VARIANTS = ({variants})
STUDY = cnn.Study("mine", "Does it pay?", (cnn.Question("mine", "Mine", VARIANTS),))
if __name__ == "__main__":
    cnn.run_study(STUDY, __doc__)
'''
REGISTERS = {
    "activation": """import jax.numpy as jnp

@cnn.register_activation("wave")
def wave(x):
    return x + jnp.sin(x)
""",
    "norm": """import jax.numpy as jnp

@cnn.register_norm("rms")
def rms(x_BHWC, epsilon):
    return x_BHWC / jnp.sqrt(jnp.mean(x_BHWC**2, axis=-1, keepdims=True) + epsilon)
""",
    "pool_kind": """
@cnn.register_pool("total")
def total(windows_BHWPC):
    return windows_BHWPC.sum(axis=-2)
""",
    "optimizer": """import dataclasses, optax

@cnn.register_optimizer("signs", learning_rate=0.02)
@dataclasses.dataclass(frozen=True)
class Signs(cnn.Optimizer):
    sway: float = cnn.option(0.5, "share of the last steps that is kept", least=0, below=1)

    def build(self, learning_rate):
        return optax.chain(optax.trace(self.sway), optax.sign_sgd(learning_rate))
""",
    "dataset": """import numpy as np

@cnn.register_dataset("dots")
def dots():
    labels = np.arange(60) % 3
    images = np.zeros((60, 12, 12), np.uint8)
    images[np.arange(60), 3 * labels, 3 * labels] = 255
    return cnn.Dataset.from_arrays("dots", (images, labels), (images[:30], labels[:30]))
""",
}
CHOICES = {
    "activation": "wave",
    "norm": "rms",
    "pool_kind": "total",
    "optimizer": "signs",
    "dataset": "dots",
}
USUAL = {
    "activation": "relu",
    "norm": "none",
    "pool_kind": "max",
    "optimizer": "adadelta",
    "dataset": "mnist",
}
DATA = cnn.DataSpec(train_split="train[:60]", test_split="test[:30]")
SMALL = (f"--train_split={DATA.train_split}", f"--test_split={DATA.test_split}", "--epochs=1")
SEEDS = 2


def file_of(*sorts: str, **others: str) -> str:
    """A file that registers a choice of each sort, with two variants that differ in it."""
    pairs = [f'*cnn.one_axis(BASE, "{s}", ("{USUAL[s]}", "{CHOICES[s]}")),' for s in sorts]
    registers = "\n".join(others.get(sort, REGISTERS[sort]) for sort in sorts)
    return FILE.format(registers=registers, variants=" ".join(pairs))


def run(file: Path) -> subprocess.CompletedProcess[str]:
    """Runs a study's file from its folder."""
    command = [
        *(sys.executable, file.name, "--workdir=study", "--executor=processes", "--workers=2"),
        *("--timing_rounds=0", f"--num_seeds={SEEDS}", "--nocontrols", "--conv=xla"),
        *SMALL,
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=file.parent, env=environment, capture_output=True, text=True, timeout=240
    )


def trials_in(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "trials.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test registers in this process is taken away again."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for registry in Registry.all:
        for name in registry.users():
            registry.unregister(name)
    registered._made.clear()


@pytest.mark.slow
@pytest.mark.processes
def test_choices_of_every_sort_are_trained_by_workers_and_reported(
    mnist: cnn.Dataset, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(file_of(*CHOICES))
    done = run(file)
    assert (done.returncode, done.stderr) == (0, "")
    trials = trials_in(tmp_path / "study")
    assert {trial["status"] for trial in trials} == {"completed"}
    found = [{**t["spec"]["network"], **t["spec"]["training"], **t["spec"]["data"]} for t in trials]
    for sort, name in CHOICES.items():
        having = [spec for spec in found if spec.get(sort) in (name, [name])]
        assert len(having) == SEEDS, sort
        assert any(f"{sort}={name}" in label for trial in trials for label in trial["variant"])
    assert [spec["sway"] for spec in found if "sway" in spec] == [0.5] * SEEDS
    report = (tmp_path / "study" / "report" / "report.md").read_text()
    for sort, name in CHOICES.items():
        assert f"{sort}={name}" in report.replace("\\", "")

    again = run(file)
    assert (again.returncode, again.stderr) == (0, "")
    assert f"= {len(trials)}, of which {len(trials)} are there" in again.stdout
    assert trials_in(tmp_path / "study") == trials


@pytest.mark.processes
def test_a_choice_whose_source_differs_is_another_study(mnist: cnn.Dataset, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(file_of("activation"))
    assert run(file).returncode == 0
    before = trials_in(tmp_path / "study")
    file.write_text(file.read_text().replace("jnp.sin(x)", "jnp.cos(x)"))
    refused = run(file)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr == (
        "error: --workdir=study: holds a study with another definition of the activation wave; "
        "name another folder\n"
    )
    assert trials_in(tmp_path / "study") == before


@pytest.mark.processes
def test_a_function_from_elsewhere_is_found_where_it_is_registered(
    mnist: cnn.Dataset, tmp_path: Path
) -> None:
    file = tmp_path / "mine.py"
    wave = 'import jax\ncnn.register_activation("wave")(jax.nn.mish)\n'
    file.write_text(file_of("activation", activation=wave))
    done = run(file)
    assert (done.returncode, done.stderr) == (0, "")
    assert {trial["status"] for trial in trials_in(tmp_path / "study")} == {"completed"}


@pytest.mark.parametrize("sort", CHOICES)
def test_one_choice_takes_fewer_than_twenty_lines(
    sort: str, mnist: cnn.Dataset, tmp_path: Path, forgotten: None
) -> None:
    source = file_of(sort)
    assert len(source.splitlines()) < 20
    file = tmp_path / "mine.py"
    file.write_text(source)
    extensions.load(extensions.Extension(str(file), source))
    assert [e.path for e in extensions.extensions()] == [str(file)]
    assert list(extensions.digests()) == [f"{sort} {CHOICES[sort]}"]
    study = sys.modules["cnn_ablation_extension_mine"].STUDY
    options = StudyOptions.of(
        training=cnn.TrainingSpec(epochs=1),
        data=DATA,
        seeds=(3,),
        workdir=str(tmp_path / "study"),
        controls=False,
        timing_rounds=0,
        executor="inline",
        conv="xla",
    )
    results = cnn.train_study(study, options)
    assert [(trial.seed, trial.status) for trial in results.trials] == [(3, "completed")] * 2
    assert results.trials[0].epochs != results.trials[1].epochs


IN_NO_FILE = REGISTERS["activation"].replace("wave", "ghost")


def test_a_choice_that_is_in_no_file_is_for_this_process_alone(
    mnist: cnn.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: None
) -> None:
    monkeypatch.setattr(preparing, "available_cores", lambda: (0, 1))
    auto = StudyOptions.of(data=cnn.DataSpec(test_split="test[:9]"), workdir=str(tmp_path / "s"))
    assert preparing.with_executor(auto).execution.executor == "processes"
    exec(IN_NO_FILE, {"cnn": cnn})
    assert not extensions.are_in_files()
    with pytest.raises(InputError, match=r"^activation ghost is defined in no file: .*inline"):
        extensions.extensions()
    assert preparing.with_executor(auto).execution.executor == "inline"
    several = StudyOptions.of(data=auto.data, workers=2)
    assert preparing.with_executor(several).execution.executor == "inline"
    asked = StudyOptions.of(data=auto.data, workdir=auto.workdir, executor="processes")
    variants = cnn.one_axis(cnn.NetworkSpec(hidden=2), "activation", ("relu", "ghost"))
    study = cnn.Study("mine", "Mine", (cnn.Question("mine", "Mine", variants),))
    with pytest.raises(InputError, match=r"^activation ghost is defined in no file: "):
        cnn.train_study(study, asked)


@pytest.mark.processes
def test_a_worker_that_cannot_read_its_task_ends(forgotten: None) -> None:
    exec(IN_NO_FILE, {"cnn": cnn})
    task = Task(cnn.TrialSpec(cnn.NetworkSpec(activation="ghost")), (0,))
    messages = b"".join(map(pickle.dumps, (Setup(Job(), available_cores()), task)))
    command = [sys.executable, "-m", "cnn_ablation.execution.executors.worker"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe) as worker:
        assert worker.stdin is not None and worker.stderr is not None
        worker.stdin.write(messages)
        # Its input stays open: a worker that lived on would wait for more of it.
        worker.stdin.flush()
        try:
            assert worker.wait(timeout=60) == 1
        finally:
            worker.kill()
        assert b"activation=ghost: must be" in worker.stderr.read()


def test_loading_a_file_trains_nothing(
    tmp_path: Path, forgotten: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for ending in ("cnn.run_study(STUDY)", "cnn.train_study(STUDY)"):
        source = REGISTERS["activation"].replace("wave", "ghost")
        source = f"import cnn_ablation as cnn\n{source}\nSTUDY = None\n{ending}\nassert False"
        extensions.load(extensions.Extension(str(tmp_path / "mine.py"), source))
        assert not extensions.is_loading()
    assert capsys.readouterr() == ("", "")
