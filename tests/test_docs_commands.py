"""Every command of the pages is run, cheaply; those that are not are listed with why.

What a command trains is made up here (`helpers/fork_server.py`): training has tests of its own.
"""

from pathlib import Path

import forked
import pytest
from pages import PAGES, commands

COMMANDS = commands()
# Why a command is not run here, by what its words hold.
LEFT_OUT = {
    "cnn_ablation predict": "what is made up has no model: tests/models",
    "norm.toml": "a file that the page does not show: tests/commands/test_named_studies.py",
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
    "experiments.growth": "takes an hour: tests/experiments/test_growth.py",
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


def subcommand(module: str, words: list[str]) -> tuple[str, ...]:
    """The words behind `python` of one of the subcommands that have no module."""
    name = module.partition(" ")[2]
    if name in ("compare", "export"):
        flags = [word for word in words if word.startswith("-")]
        return ("-m", "cnn_ablation", name, "study-0", "study-1", *flags)
    trains = name == "study" and "--new" not in words
    cheap = (*FEW, *SMALL, "--workdir=mine") if trains else ()
    return ("-m", "cnn_ablation", name, *words, *cheap)


def cheaply(module: str, words: list[str]) -> tuple[str, ...]:
    """The words behind `python`: the page's, but for those that are replaced by cheap ones."""
    if " " in module:
        return subcommand(module, words)
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


# Commands that differ in what is replaced alone are one. A bare name of a subcommand is no command.
RUN = sorted(
    {
        cheaply(module, words)
        for module, lines in COMMANDS.items()
        for words in lines
        if left_out(module, words) is None
        and (words or " " not in module or module.endswith("doctor"))
        and words != ["--new"]
    }
)


@pytest.mark.processes
def test_every_command_of_the_pages_runs(tmp_path: Path) -> None:
    studies = [
        ["-m", "experiments.stride", *FEW, *SMALL, "--nocontrols", f"--workdir=study-{at}"]
        for at in range(2)
    ]
    places = [
        [f"--workdir=run-{number}"] if "." in command[1] and "report" not in command[1] else []
        for number, command in enumerate(RUN)
    ]
    commands = studies + [[*command, *place] for command, place in zip(RUN, places, strict=True)]
    assert len(commands) > 12
    for command in commands:
        done = forked.run(*command, cwd=tmp_path, spare=forked.SPARED)
        assert done.returncode == 0, (command, done.stderr)


def test_what_is_not_run_is_there_and_no_more() -> None:
    whole = [_whole(module, words) for module, lines in COMMANDS.items() for words in lines]
    for what in LEFT_OUT:
        assert any(what in one for one in whole), f"{what} is on no page any more"
    assert len(PAGES) > 10
    assert len(RUN) > 12
