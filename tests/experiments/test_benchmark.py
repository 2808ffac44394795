"""The benchmark's arithmetic, and one small benchmark from the command line."""

import dataclasses
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import forked
import pytest

from cnn_ablation.design import NetworkSpec, TrialSpec
from experiments.peers.contestants import OURS, Contestant, Process, WorkerError, missing_packages
from experiments.peers.designs import CHOICES, DESIGNS
from experiments.peers.figures import Course, Design, geometric_mean
from experiments.peers.match import job_of, layers_of
from experiments.peers.peak import measure_peak
from experiments.peers.tables import report
from experiments.peers.worker import Job

pytest_plugins = ["convolution_fixtures"]
ROOT = Path(__file__).parents[2]
STEPS = 469


def course(name: str, framework: str, *rounds: float, first: float = 9.0) -> Course:
    """A course whose epochs in turn took these seconds."""
    epochs = [{"train_seconds": seconds, "others_share": 0.25} for seconds in rounds]
    return Course(name, framework, {}, 10, STEPS, 3.0, first, 20.0, epochs[:2], epochs, 10**9)


def test_the_15_designs_are_the_notebooks() -> None:
    assert len(set(DESIGNS.values())) == len(DESIGNS) == 15


def test_workers_know_every_field_of_a_block() -> None:
    """A field that they did not know would be refused, and one at its usual value left out."""
    specs = [*map(TrialSpec, DESIGNS.values()), *CHOICES.values()]
    for spec in specs:
        job = job_of(spec, threads=1)
        assert [dataclasses.asdict(block) for block in job.blocks()] == [
            dataclasses.asdict(block) for block in spec.network.blocks
        ]
        assert TrialSpec.from_json(json.loads(json.dumps(job.spec))) == spec
        assert job.steps == 2 * STEPS
    assert len(set(specs)) == len(DESIGNS) + len(CHOICES)


def test_useful_work_is_counted_by_hand_for_the_base_design() -> None:
    first, second, hidden, logits = 26**2 * 9 * 8, 24**2 * 9 * 8 * 16, 24**2 * 16 * 32, 32 * 10
    flop = 2 * (3 * (first + second + hidden + logits) - first) * 60_000
    design = Design("base", NetworkSpec(), 100.0, [course("ours", OURS, 2.0)])
    assert design.epoch_flop == flop
    assert design.gflops(design.courses[0]) == pytest.approx(flop / 2e9)


def test_the_best_variant_of_each_framework_counts() -> None:
    ours, eager, compiled = (
        course("ours", OURS, 2.0, 1.0, 9.0),
        course("pytorch", "PyTorch", 6.0, 5.0),
        course("pytorch_compile", "PyTorch", 4.0, 4.0, 40.0),
    )
    design = Design("base", NetworkSpec(), 100.0, [ours, eager, compiled])
    assert design.fastest("PyTorch") is compiled
    assert design.times_faster == pytest.approx(2.0)
    assert design.others_share == pytest.approx(0.25)
    assert design.least("PyTorch", "whole_seconds") == 20.0
    assert Design("base", NetworkSpec(), 100.0, [ours]).times_faster is None
    assert geometric_mean([2.0, None, 8.0]) == pytest.approx(4.0)


def test_a_report_says_vectors_peak_and_the_share_of_it() -> None:
    header: dict[str, Any] = {
        **dict.fromkeys(("command", "date", "processor"), "so"),
        **{"threads": 2, "batch_size": 128, "absent": [], "rounds": 2, "epochs": 2},
    }
    design = Design("base", NetworkSpec(), 100.0, [course("ours", OURS, 2.0)])
    rate = design.gflops(design.courses[0])
    page = report({**header, "lanes": 8, "peak_gflops": 2 * rate}, [design], {})
    assert "vectors of 8 floats, peak " in page
    assert f"| {rate:.0f} | 50% | {rate / 100:.0%} |" in page
    page = report({**header, "lanes": None, "peak_gflops": None}, [design], {})
    assert f"| {rate:.0f} | - | {rate / 100:.0%} |" in page and "vectors of" not in page


@pytest.mark.usefixtures("native")
def test_the_peak_is_measured_with_the_lanes_that_there_are() -> None:
    peak = measure_peak(1)
    assert peak is not None
    assert peak.lanes in (4, 8, 16)
    assert peak.gflops > 0


def test_the_first_step_is_the_first_epoch_less_its_later_steps() -> None:
    timed = course("ours", OURS, 4.69, 4.69, first=4.69 + 2.0)
    assert timed.first_step_seconds == pytest.approx(2.0 + 0.01)


def test_a_worker_that_ends_is_an_error_with_what_it_said(tmp_path: Path) -> None:
    broken = Contestant("broken", "Broken", "no_such_worker", ("no_such_package", "json"))
    process = Process(broken, sys.executable, tmp_path / "log")
    with pytest.raises(WorkerError, match=r"broken: .*No module named.*no_such_worker"):
        process.start(Job({}, {}, {}, threads=1))
    assert missing_packages(broken, sys.executable) == ["no_such_package"]


@pytest.mark.slow
@pytest.mark.processes
def test_a_small_benchmark_from_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "experiments.benchmark", "--designs=stride-5"]
    command += ["--contestants=ours", "--rounds=1", f"--output={tmp_path}"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=300)
    results = json.loads((tmp_path / "benchmark.json").read_text())
    (design,) = results["designs"]
    (ours,) = design["courses"]
    assert ours["params"] == design["params"] == 2122
    assert ours["epochs"][1]["test_accuracy"] > 0.3
    assert 0 < ours["first_step_seconds"] < ours["whole_seconds"]
    assert math.isfinite(design["gemm_gflops"])
    assert set(results["sweep_seconds"]) == {"ours"}
    assert "stride-5" in (tmp_path / "benchmark.md").read_text()


def test_an_unknown_design_is_refused_in_one_line() -> None:
    done = forked.run("-m", "experiments.benchmark", "--designs=nope")
    assert done.returncode == 2
    assert done.stderr.startswith("error: --designs=nope: must be among kernel-3-3, ")
    assert done.stderr.count("\n") == 1


def test_a_peer_refuses_a_field_that_it_does_not_know() -> None:
    layers = layers_of(NetworkSpec(stride=2))
    layers["blocks"][0]["new_field"] = 1
    with pytest.raises(TypeError, match="new_field"):
        Job({}, layers, {}, threads=1).blocks()
