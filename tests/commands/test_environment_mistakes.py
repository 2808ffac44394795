"""Mistakes of command lines and of the environment: one line, exit code 2, no traceback."""

import os
import subprocess
import sys
import time
from pathlib import Path

import forked
import pytest

LONG = "a" * 300


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return forked.run("-m", *arguments, env=environment)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--workdir=~nosuchuser/x"], "--workdir=~nosuchuser/x: "),
        ([f"--workdir=/tmp/{LONG}"], f"--workdir=/tmp/{LONG}: "),
        ([f"--compilation_cache_dir=/tmp/{LONG}"], f"--compilation_cache_dir=/tmp/{LONG}: "),
        ([f"--coordinator={LONG}:12", "--num_hosts=2", "--host=1"], f"--coordinator={LONG}:12: "),
        (["--stride=29"], "--stride=29: block 2 sees a 1x1 map"),
        ([f"--features=1{'0' * 24}"], "--features=1"),
        (["--num_seeds=100000000"], "--num_seeds=100000000: "),
        (["--hidden=1000000000000"], "--hidden=1000000000000: "),
        (["--flagfile=nosuch"], "Unable to open flagfile: "),
        (["--undefok"], "Missing value for flag --undefok"),
        (["--helpxml"], "Unknown command line flag 'helpxml'"),
        (["--run_with_pdb"], "Unknown command line flag 'run_with_pdb'"),
        (["--padding=a\nb"], r"--padding=a\nb: must be valid or same"),
        (["--mlflow=http://me:secret@127.0.0.1:9"], "--mlflow=http://me:***@127.0.0.1:9: "),
    ],
)
def test_a_flag_is_named(flags: list[str], says: str, tmp_path: Path) -> None:
    begin = time.monotonic()
    done = run("cnn_ablation.main", f"--workdir={tmp_path / 'run'}", *flags)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, line[: len(says) + 7]) == (2, f"error: {says}")
    assert "secret" not in done.stderr
    # Whoever waits for a tracker that is not there waits for minutes.
    assert time.monotonic() - begin < 100
    assert not (tmp_path / "run" / "metrics.json").exists()


@pytest.mark.parametrize("home", ["", "/"])
def test_an_empty_home_is_named(home: str, tmp_path: Path) -> None:
    given = {"HOME": home, "CNN_ABLATION_CACHE_DIR": "", "XDG_CACHE_HOME": ""}
    done = run("cnn_ablation.main", f"--workdir={tmp_path / 'run'}", **given)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: HOME={home}: caches and datasets have no folder; set ")


def test_a_terminal_that_cannot_show_a_path_shows_its_numbers(tmp_path: Path) -> None:
    (tmp_path / "ä").mkdir()
    (tmp_path / "ä" / "metrics.json").write_text('{"runs": []}')
    workdir = f"--workdir={tmp_path / 'ä'}"
    # Python sees to the encoding before anything else.
    done = subprocess.run(
        [sys.executable, "-m", "cnn_ablation.main", workdir],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert r"\xe4: holds a finished run" in done.stderr


@pytest.mark.parametrize(
    ("module", "flag"),
    [("throughput", "designs"), ("throughput", "ways"), ("benchmark", "designs")],
)
def test_an_empty_list_is_refused(module: str, flag: str) -> None:
    done = run(f"experiments.{module}", f"--{flag}=")
    assert (done.returncode, done.stderr) == (
        2,
        f"error: --{flag}=: must be one name or more, separated by commas\n",
    )
