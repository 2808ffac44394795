"""`python -m cnn_ablation.report WORKDIR`: from the files of a study to its report."""

import dataclasses
import subprocess
from pathlib import Path

import forked
import pytest
from synthetic_results import stride_study, synthetic_results

from cnn_ablation.report import write_report
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.store import Store, load_results
from cnn_ablation.system.files import write_bytes


def _kept(results: StudyResults, folder: Path) -> None:
    plan = dataclasses.replace(results.plan, lowering="xla", fingerprint="")
    with Store(folder, plan) as store:
        for trial in results.trials:
            store.add_trial(trial)
        for number in sorted({timing.round for timing in results.timings}):
            store.add_round([t for t in results.timings if t.round == number], {})


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return forked.run("-m", "cnn_ablation.report", *arguments)


def test_report_is_rebuilt_from_the_trials_alone(tmp_path: Path) -> None:
    results = synthetic_results(stride_study(), seeds=(0, 1), epochs=1, rounds=1)
    _kept(results, tmp_path / "study")
    done = _run(str(tmp_path / "study"))
    assert (done.returncode, done.stderr) == (0, "")
    page = tmp_path / "study" / "report" / "report.html"
    assert done.stdout.strip() == str(page)
    direct = write_report(load_results(tmp_path / "study"), tmp_path / "direct")
    assert page.read_bytes() == direct.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "nowhere: holds no study"),
        ((), "WORKDIR=: must be the folder of a study, or of several"),
        (("a", "a"), "WORKDIR=a a: names a folder twice"),
    ],
)
def test_what_is_no_study_is_refused_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = _run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {said}")
    assert done.stderr.count("\n") == 1


def test_binary_files_are_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_bytes(path, b"old")
    with pytest.raises(TypeError):
        write_bytes(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_environment_may_be_empty(tmp_path: Path) -> None:
    results = synthetic_results(stride_study(), seeds=(0,), epochs=1, rounds=0)
    assert write_report(
        dataclasses.replace(results, plan=dataclasses.replace(results.plan, environment={})),
        tmp_path,
    ).exists()
