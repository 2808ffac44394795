"""The command as users type it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import forked
import pytest

from cnn_ablation.data import Dataset

SMALL = ["--train_split=train[:2%]", "--test_split=test[:2%]", "--stride=3"]


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    return forked.run("-m", "cnn_ablation.main", *flags)


def strict_json(text: str) -> Any:
    def refuse(literal: str) -> None:
        raise AssertionError(f"{literal} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture(scope="module")
def finished(mnist: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished") / "run"
    # A process of its own: this is how users start it.
    command = [sys.executable, "-m", "cnn_ablation.main", *SMALL, "--seed=7", "--num_seeds=2"]
    done = subprocess.run(
        [*command, f"--workdir={folder}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    return folder


def test_metrics_hold_all_that_is_promised(finished: Path) -> None:
    metrics = strict_json((finished / "metrics.json").read_text())
    assert metrics["schema_version"] == 1
    assert metrics["spec"]["network"]["stride"] == [3, 3]
    assert (metrics["params"], metrics["macs"]) == (6218, 9 * 9 * 72 + 3 * 3 * 1152 + 4608 + 320)
    assert metrics["dataset"]["train_examples"] == 1200
    assert [r["seed"] for r in metrics["runs"]] == [7, 8]
    for entry in metrics["runs"]:
        assert entry["status"] == "completed"
        assert [epoch["epoch"] for epoch in entry["epochs"]] == [1, 2]
        assert set(entry["epochs"][0]) == {
            "epoch",
            "train_loss",
            "train_accuracy",
            "test_loss",
            "test_accuracy",
            "train_seconds",
            "eval_seconds",
        }
    times = metrics["times"]
    parts = ("startup", "data", "compile", "train", "eval")
    assert all(times[f"{part}_seconds"] >= 0 for part in parts)
    assert times["total_seconds"] >= sum(times[f"{part}_seconds"] for part in parts)
    environment = metrics["environment"]
    assert environment["packages"]["jax"]
    assert environment["device_count"] == 1
    assert environment["convolution"] in ("native", "banded", "xla")


def test_every_epoch_is_also_a_line(finished: Path) -> None:
    lines = [strict_json(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    metrics = strict_json((finished / "metrics.json").read_text())
    entries = [{"seed": r["seed"], **epoch} for r in metrics["runs"] for epoch in r["epochs"]]
    assert lines == entries


def test_the_user_is_told(finished: Path) -> None:
    told = (finished / "stdout").read_text()
    for part in ("device   cpu", "stride=3", "conv_1", "seed 8  epoch 2/2", "test acc", "written"):
        assert part in told


def test_a_finished_run_is_replaced_only_if_asked_for(finished: Path) -> None:
    before = (finished / "metrics.json").read_bytes()
    refused = run(*SMALL, f"--workdir={finished}")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error: --workdir={finished}: holds a finished run")
    assert (finished / "metrics.json").read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--stride=0"], "--stride=0: must be a whole number of 1 or more"),
        (["--padding=full"], "--padding=full: must be valid or same"),
        (["--kernel_size=30"], "--kernel_size=30: block 1 sees a 28x28 map"),
        (["--kernel_size=3,3,3", "--stride=1,2"], "has 2 values where kernel_size has 3"),
        (["--dataset=nope"], "--dataset=nope: "),
        (["--learning_rate=-1"], "--learning_rate=-1.0: must be a number above 0"),
        (["--batch_size=0"], "--batch_size=0: must be a whole number of 1 or more"),
        (["--num_seeds=a"], "--num_seeds=a: must be a whole number"),
        (["--num_seeds=0"], "--num_seeds=0: must be a whole number of 1 or more"),
        (["--seed=-1"], "--seed=-1: seeds must lie from 0 to"),
        (["--conv=magic"], "--conv=magic: "),
        (["--devices=99"], "--devices=99: must be from 1 to "),
        (["--train_split=train[:"], "--train_split=train[:"),
        (["--workdir=/proc/nowhere"], "--workdir=/proc/nowhere: must be a folder to write to"),
        (["--manual_dir=/nowhere"], "--manual_dir=/nowhere: "),
        (["--strid=2"], "Did you mean: stride"),
        (["stride=2"], "stride=2: not a flag"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    flags: list[str], message: str, tmp_path: Path, mnist: Dataset
) -> None:
    if not any(flag.startswith("--workdir") for flag in flags):
        flags = [*flags, f"--workdir={tmp_path / 'run'}"]
    refused = run(*flags)
    assert refused.returncode == 2, refused.stderr
    assert "Traceback" not in refused.stderr
    (line,) = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
    assert message in line
    assert refused.stderr.splitlines()[-1] == line
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_help_lists_every_option_with_its_default() -> None:
    for flag in ("--help", "--helpfull"):
        shown = run(flag)
        assert shown.returncode == 0
        for text in ("--features=8,16", "--learning_rate=1.0", "--num_seeds=1", "0.001"):
            assert text in shown.stdout


def test_divergence_is_a_warning_and_strict_json(mnist: Dataset, tmp_path: Path) -> None:
    done = run(*SMALL, "--learning_rate=1e30", f"--workdir={tmp_path}")
    assert done.returncode == 0
    assert "warning: seed 0 diverged" in done.stderr
    (entry,) = strict_json((tmp_path / "metrics.json").read_text())["runs"]
    assert entry["status"] == "diverged"


def test_a_stopped_run_leaves_its_lines_and_the_next_keeps_them(
    mnist: Dataset, tmp_path: Path
) -> None:
    flags = [*SMALL, f"--workdir={tmp_path}"]
    command = [sys.executable, "-m", "cnn_ablation.main", *flags, "--epochs=100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        lines = tmp_path / "metrics.jsonl"
        deadline = time.monotonic() + 60
        while not (lines.exists() and lines.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in errors
    kept = lines.read_text()
    assert all(strict_json(line)["seed"] == 0 for line in kept.splitlines())
    assert not (tmp_path / "metrics.json").exists()
    assert run(*flags).returncode == 0
    (aside,) = tmp_path.glob("unfinished-*.jsonl")
    assert aside.read_text() == kept


def test_a_damaged_archive_is_named_and_never_trained_on(tmp_path: Path) -> None:
    archives = Path(__file__).parents[2] / "cnn_ablation" / "data" / "archives"
    for archive in archives.glob("*.gz"):
        data = archive.read_bytes()
        name = "train-images-idx3-ubyte.gz"
        (tmp_path / archive.name).write_bytes(data[:100_000] if archive.name == name else data)
    refused = run(
        f"--manual_dir={tmp_path}", f"--data_dir={tmp_path / 'd'}", f"--workdir={tmp_path / 'w'}"
    )
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert "train-images-idx3-ubyte.gz" in refused.stderr.splitlines()[-1]
    assert not (tmp_path / "w" / "metrics.json").exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_metrics_are_as_readable_as_any_new_file(finished: Path) -> None:
    plain = finished / "stdout"
    assert (finished / "metrics.json").stat().st_mode == plain.stat().st_mode
