"""Studies by name and from files: what is started, with which settings, and mistakes in files."""

import json
import subprocess
from pathlib import Path

import forked
import pytest

from cnn_ablation import studies
from cnn_ablation.commands.new_study import TEMPLATE
from cnn_ablation.errors import InputError
from cnn_ablation.study.checks import check_study
from cnn_ablation.study.toml_file import parse_study

ROOT = Path(__file__).parents[2]
TINY = ["--train_split=train[:128]", "--test_split=test[:100]", "--executor=inline", "--conv=xla"]
FILE = '''
"""Wide?"""
import cnn_ablation as cnn

variants = cnn.one_axis(cnn.NetworkSpec(stride=3), "hidden", (4, 6))
STUDY = cnn.Study("wide", "Wide?", (cnn.Question("width", "Width", variants),))
'''


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ("-m", "cnn_ablation", "study", *words)
    return forked.run(*command, cwd=folder, env=forked.QUICKLY_COMPILED, spare=["resampling"])


def test_every_module_that_holds_a_study_is_named() -> None:
    folder = Path(str(studies.__file__)).parent
    holding = {path.stem for path in folder.glob("*.py") if "\nSTUDY = " in path.read_text()}
    assert holding == set(studies.NAMES)
    for name in studies.NAMES:
        found = studies.find(name)
        assert found.study.name == name
        assert f"cnn-ablation study {name}" in found.description
        check_study(found.study)


def test_each_has_a_module_of_the_checkout() -> None:
    for name in studies.NAMES:
        text = (ROOT / "experiments" / f"{name}.py").read_text()
        assert f"STUDY, {name}.__doc__" in text


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean stride"):
        studies.find("strides")


def test_the_notebook_begins_with_its_own_rate(tmp_path: Path) -> None:
    said = run(tmp_path, "notebook", "--help").stdout
    assert "  --learning_rate=0.001\n" in said
    assert "  --controls=False\n" in said


def test_a_new_file_runs_as_it_is_and_says_its_settings(tmp_path: Path) -> None:
    assert run(tmp_path, "--new", "mine").returncode == 0
    path = tmp_path / "mine.toml"
    assert path.read_text() == TEMPLATE.format(name="mine")
    again = run(tmp_path, "--new=mine")
    assert again.returncode == 2
    assert "is there already" in again.stderr
    said = run(tmp_path, "mine.toml", "--help").stdout
    for flag in ("train_split=train[:10%]", "num_seeds=10", "timing_rounds=0", "epochs=2"):
        assert f"  --{flag}\n" in said
    parsed = parse_study(path.read_text())
    check_study(parsed.study)
    done = run(tmp_path, "mine.toml", *TINY, "--num_seeds=1", "--epochs=1", "--workdir=out")
    assert done.returncode == 0, done.stderr
    plan = json.loads((tmp_path / "out" / "study.json").read_text())
    assert plan["environment"]["program"] == "-m cnn_ablation study mine.toml"
    assert plan["training"]["epochs"] == 1
    assert (
        "cnn_ablation study mine.toml --seed=0" in (tmp_path / "out/report/report.md").read_text()
    )


def test_a_file_of_python_with_a_study_is_run(tmp_path: Path) -> None:
    (tmp_path / "wide.py").write_text(FILE)
    flags = [*TINY, "--num_seeds=1", "--epochs=1", "--timing_rounds=0", "--workdir=out"]
    done = run(tmp_path, "wide.py", *flags)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out" / "trials.jsonl").read_text().splitlines()) == 2


def test_a_file_of_python_that_starts_its_study_is_run_as_by_python(tmp_path: Path) -> None:
    start = 'if __name__ == "__main__":\n    cnn.run_study(STUDY, __doc__)\n'
    (tmp_path / "wide.py").write_text(FILE + start)
    said = run(tmp_path, "wide.py", "--help").stdout
    assert said.startswith("Wide?")
    done = run(tmp_path, "wide.py", "--hidden=3")
    assert done.returncode == 2
    assert "the networks of a study are in its file" in done.stderr


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("x = 1", 2, "wide.py: starts no study"),
        ("x = ", 2, "wide.py, line 1: is no Python"),
        ("import cnn_ablation as cnn\ncnn.NetworkSpec(stride=0)", 2, "wide.py, line 2: stride=0"),
        ("1 / 0", 1, "ZeroDivisionError"),
    ],
)
def test_mistakes_in_python(text: str, code: int, says: str, tmp_path: Path) -> None:
    (tmp_path / "wide.py").write_text(text)
    done = run(tmp_path, "wide.py")
    assert done.returncode == code
    assert says in done.stderr
    assert code == 1 or len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ('name = "x"', "question: is missing"),
        ("[run]\nnum_sedes = 3", "run: num_sedes: unknown; did you mean num_seeds?"),
        ("[run]\nnum_seeds = true", "run: num_seeds = True: must be a whole number"),
        ("[run]\nnum_seeds = '1..x'", "run: num_seeds = '1..x'"),
        ("[run]\ntiming_rounds = -1", "run: timing_rounds=-1: must be a whole number of 0 or more"),
    ],
)
def test_mistakes_in_toml_name_file_and_key(change: str, says: str, tmp_path: Path) -> None:
    top = 'name = "x"\n[[question]]\nname = "q"\naxes.stride = [1, 2]\n'
    (tmp_path / "x.toml").write_text(change if change.startswith("name") else f"{top}{change}")
    done = run(tmp_path, "x.toml")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: x.toml: ")
    assert says in line
