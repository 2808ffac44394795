"""A user's own study file: what is wrong in it is one line that names the file, and exit code 2."""

import subprocess
from pathlib import Path

import forked
import pytest

STUDY = """
import cnn_ablation as cnn

widths = cnn.one_axis(cnn.NetworkSpec(stride=2), "{axis}", ({values},))
claim = cnn.Claim("wider", "width", "wider is better", "{metric}",
                  (("{axis}={better}", "{axis}=32"),))
STUDY = cnn.Study("{name}", "Wide?", (cnn.Question("width", "Width", widths, (claim,)){comma}))
if __name__ == "__main__":
    cnn.run_study(STUDY, __doc__)
"""
RIGHT = {
    "axis": "hidden",
    "values": "32, 64",
    "metric": "test_accuracy",
    "better": "64",
    "name": "wide",
    "comma": ",",
}


def run(folder: Path, *flags: str, **changes: str) -> subprocess.CompletedProcess[str]:
    (folder / "wide.py").write_text(STUDY.format(**{**RIGHT, **changes}))
    quick = forked.QUICKLY_COMPILED
    return forked.run("wide.py", *flags, cwd=folder, env=quick, spare=["resampling"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"better": "46"}, "study wide, question width, claim wider: 'hidden=46' is no label"),
        ({"metric": "test_acc"}, "metric='test_acc': must be "),
        ({"axis": "hiden"}, "did you mean hidden"),
        ({"axis": "kernel_size"}, "kernel_size=32: block 1 sees a 28x28 map"),
        ({"name": "a/b"}, "study 'a/b': a name is letters"),
        ({"comma": ""}, "questions must be several Question"),
    ],
)
def test_a_mistake_in_a_file_is_one_line(
    changes: dict[str, str], says: str, tmp_path: Path
) -> None:
    done = run(tmp_path, **changes)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path / 'wide.py'}, line ")
    assert says in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["wide.py"]


def test_another_error_in_a_file_keeps_its_traceback(tmp_path: Path) -> None:
    done = run(tmp_path, values="1 / 0")
    assert "ZeroDivisionError" in done.stderr
    assert done.returncode == 1


def test_a_flag_of_the_network_is_explained(tmp_path: Path) -> None:
    done = run(tmp_path, "--hidden=64")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: --hidden: the networks of a study are in its file")
    assert "Did you mean" in run(tmp_path, "--num_sedes=2").stderr


def test_it_trains_as_it_is(tmp_path: Path) -> None:
    flags = ["--num_seeds=1", "--epochs=1", "--timing_rounds=0", "--executor=inline"]
    done = run(tmp_path, *flags, "--train_split=train[:128]", "--test_split=test[:100]")
    assert done.returncode == 0, done.stderr
    assert "python wide.py --seed=0" in next(
        path.read_text() for path in tmp_path.rglob("report.md")
    )
    assert "mnist (train[:128] to train, test[:100] to test), 1 epoch" in done.stdout
