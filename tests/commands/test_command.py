"""The one command: its page, the pages of its subcommands, and what it refuses."""

import subprocess
import sys

import forked
import pytest

from cnn_ablation.__main__ import COMMANDS
from cnn_ablation.version import __version__


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return forked.run("-m", "cnn_ablation", *words)


@pytest.mark.parametrize("words", [(), ("--help",), ("help",)])
def test_the_page_names_every_command(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command.name} " in done.stdout
        assert command.purpose in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_it_says_its_version() -> None:
    # A process of its own: this is how users start it.
    command = [sys.executable, "-m", "cnn_ablation", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"cnn_ablation {__version__}\n", "")


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_has_a_page_that_calls_it_by_its_name(name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"cnn-ablation {name}" in done.stdout
    assert "python -m cnn_ablation." not in done.stdout
    assert "{" not in done.stdout


def test_an_unknown_command_is_one_line() -> None:
    done = run("reprot")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "did you mean report?" in line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("train", "--strid=2"), "stride"),
        (("study", "strid"), "did you mean stride?"),
        (("study", "stride", "padding"), "padding: one study at a time"),
        (("study", "nowhere.toml"), "nowhere.toml: cannot be read"),
        (("study", "nowhere.py"), "nowhere.py: cannot be read"),
        (("study", "--new=a/b"), "--new=a/b: must be a name"),
        (("compare", "."), "RUN: name the folders of two"),
        (("compare", "nowhere", "."), "nowhere: must be the folder of a run"),
        (("compare", ".", "..", "--metric=speed"), "--metric=speed: must be "),
        (("export",), "RUN: name the folder"),
        (("export", "nowhere"), "nowhere: must be the folder of a run"),
        (("report", "nowhere"), "nowhere: holds no study"),
        (("judge",), "--claims: must name a TOML file"),
        (("doctor", "--everything"), "--everything: doctor takes"),
    ],
)
def test_a_mistake_is_one_line(words: tuple[str, ...], says: str) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    assert says in line
