"""Every `python -m` command of the pages is run, cheaply; those that are not are listed with why.

What a command trains is made up here (`helpers/run_commands.py`): training has tests of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pages import PAGES, ROOT, commands

COMMANDS = commands()
HELPER = ROOT / "tests" / "helpers" / "run_commands.py"
# Why a command is not run here, by what its words hold.
LEFT_OUT = {
    "cnn_ablation ": "subcommands on files of the reader's own: tests/commands",
    "--save_params": "what is made up has no parameters: tests/commands/test_saved_models.py",
    "--coordinator": "needs several hosts: tests/execution/hosts",
    "--executor=ray": "needs a cluster: tests/execution/executors/test_executor_ray.py",
    "--devices=2": "needs two devices: tests/training/test_devices.py",
    "fashion_mnist": "needs a network: tests of several datasets have data of their own",
    "--mlflow": "needs mlflow: tests/trackers",
    "--tensorboard": "needs tensorboard: tests/trackers",
    "--map=learning_rate": "trains a whole map: tests of maps",
    "--sources": "crosses thousands of trials: tests of the sources of variance",
    "cnn_ablation.judge": "needs tables: tests/ingest/test_judge.py",
    "experiments.tuned_twins": "trains twenty studies",
    "experiments.variance": "crosses a hundred trials: tests of the sources of variance",
    "experiments.atlas": "trains for days: tests/experiments/test_atlas.py",
    "experiments.benchmark": "takes hours and other libraries: tests/experiments/test_benchmark.py",
    "experiments.throughput": "takes hours: tests/experiments/test_throughput.py",
    "experiments.kernels": "takes minutes: tests/experiments/test_kernels_speed.py",
    "experiments.simulate": "takes hours: tests/experiments/test_statistics_simulation.py",
    "experiments.execute_colab": "trains for minutes: tests/experiments/test_colab.py",
    "experiments.published_map": "judges all results: tests/experiments/test_published_map.py",
    "experiments.verdict_table": "judges all results: tests/experiments/test_verdict_table.py",
}
SMALL = ("--test_split=test[:1%]", "--epochs=2", "--timing_rounds=0", "--conv=xla")
FEW = ("--num_seeds=2", "--train_split=train[:1%]")


def _whole(module: str, words: list[str]) -> str:
    return " ".join([module, *words])


def left_out(module: str, words: list[str]) -> str | None:
    """Why a command is not run, or None."""
    whole = _whole(module, words)
    return next((why for what, why in LEFT_OUT.items() if what in whole), None)


def cheaply(module: str, words: list[str]) -> tuple[str, ...]:
    """The words behind `python`: the page's, but for those that are replaced by cheap ones."""
    if module == "cnn_ablation.report":
        studies = [f"study-{at}" for at, word in enumerate(words) if not word.startswith("-")]
        flags = [word for word in words if word.startswith("-") and "--out" not in word]
        return ("-m", module, *studies, *(flags or ["--out=report"]))
    cheap = [*FEW, *SMALL]
    if module == "cnn_ablation.main":
        cheap.remove("--timing_rounds=0")
    if any(word.startswith("--test_split") for word in words):
        # One split is cut from the other: both are the page's.
        cheap = [word for word in cheap if "_split" not in word]
    replaced = {word.partition("=")[0] for word in (*cheap, "--workdir=")}
    kept = [word for word in words if word.partition("=")[0] not in replaced]
    plain = not any(word.startswith(("--arms", "--tune")) for word in words)
    arms = ["--nocontrols"] if plain and module.startswith("experiments.") else []
    return ("-m", module, *kept, *cheap, *arms)


# Commands that differ in what is replaced alone are one.
RUN = sorted(
    {
        cheaply(module, words)
        for module, lines in COMMANDS.items()
        for words in lines
        if left_out(module, words) is None
    }
)


def _run(commands: list[list[str]], folder: Path, faked: str) -> list[dict[str, object]]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")]),
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
    }
    done = subprocess.run(
        [sys.executable, str(HELPER), faked],
        cwd=folder,
        env=environment,
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.processes
def test_every_command_of_the_pages_runs(tmp_path: Path) -> None:
    studies = [
        ["-m", "experiments.stride", *FEW, *SMALL, "--nocontrols", f"--workdir=study-{at}"]
        for at in range(2)
    ]
    places = [
        [] if "cnn_ablation.report" in command else [f"--workdir=run-{number}"]
        for number, command in enumerate(RUN)
    ]
    commands = studies + [[*command, *place] for command, place in zip(RUN, places, strict=True)]
    found = _run(commands, tmp_path, "fake")
    assert len(found) == len(commands) > 12
    failed = [(c, f["said"]) for c, f in zip(commands, found, strict=True) if f["code"] != 0]
    assert not failed, failed[0]


def test_what_is_not_run_is_there_and_no_more() -> None:
    whole = [_whole(module, words) for module, lines in COMMANDS.items() for words in lines]
    for what in LEFT_OUT:
        assert any(what in one for one in whole), f"{what} is on no page any more"
    assert len(PAGES) > 10
    assert len(RUN) > 12
