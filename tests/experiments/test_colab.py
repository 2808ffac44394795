"""The Colab notebook: it finds its code, runs from top to bottom and links to nothing."""

import configparser
import importlib.metadata
import re
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from packaging.requirements import Requirement

from experiments.execute_colab import NOTEBOOK, execute

ROOT = NOTEBOOK.parents[1]
TABLES = ("kernel-table", "stride-table", "padding-table", "pooling-table", "confound-table")
VERDICTS = tuple(name.replace("table", "verdicts") for name in TABLES)
FIGURES = (
    *(f"{part}-plot" for part in ("kernel", "stride", "padding", "pooling")),
    *(name.replace("table", "differences") for name in TABLES),
    "exercise-run",
)


def read() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=nbformat.NO_CONVERT)


def source(name: str) -> str:
    (cell,) = (cell for cell in read().cells if cell.id == name)
    return str(cell.source)


@pytest.fixture
def executed(tmp_path: Path, private_folders: Path) -> NotebookNode:
    """The notebook after a small run, in an empty folder, with the package installed."""
    content = tmp_path / "content"
    content.mkdir()
    notebook = read()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(content / "ipython"))
        # A run that lacks a package must fail, not install one.
        patch.setenv("PIP_NO_INDEX", "1")
        # Twenty designs are compiled to train for a second each: compiling is what takes time.
        patch.setenv("XLA_FLAGS", "--xla_backend_optimization_level=0")
        execute(
            notebook,
            content,
            NUM_SEEDS=2,
            EPOCHS=1,
            TRAIN_SPLIT="train[:1%]",
            TEST_SPLIT="test[:1%]",
        )
    assert len(list((content / "runs").iterdir())) == 6
    return notebook


def outputs(notebook: NotebookNode, name: str, mime: str) -> list[str]:
    """What a cell shows in one format."""
    (cell,) = (cell for cell in notebook.cells if cell.id == name)
    found = [output.get("data", {}).get(mime) for output in cell.outputs]
    return [content for content in found if content is not None]


def assert_shows_everything(notebook: NotebookNode) -> None:
    for name in TABLES:
        (table,) = outputs(notebook, name, "text/markdown")
        assert table.startswith("| variant | test accuracy, %")
        assert len(table.strip().splitlines()) > 4
        assert ("published %, loss, s" in table) == (name != "confound-table")
    (page,) = outputs(notebook, "report-page", "text/html")
    assert page.startswith('<div><iframe srcdoc="&lt;!DOCTYPE html') and "Stride" in page
    for name in VERDICTS:
        (verdicts,) = outputs(notebook, name, "text/markdown")
        assert all(
            re.match(r"- [✓✗?–] (Holds|Fails|Inconclusive|Not judged)\b", line)
            for line in verdicts.strip().splitlines()
        )
        # Only the control arm is asked after its study's trials have been seen.
        assert ("xploratory" in verdicts) == (name == "confound-verdicts"), verdicts
    for name in FIGURES:
        assert outputs(notebook, name, "image/png")
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            shown = str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
            assert not re.search(r"(^|[\s\"'(])(/\w|~/|[A-Z]:\\)", shown), shown


@pytest.mark.slow
def test_it_runs_from_top_to_bottom(executed: NotebookNode) -> None:
    """One test of all that a run shows, so that tests in several processes run it once."""
    counts = [cell.execution_count for cell in executed.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert_shows_everything(executed)
    assert_each_question_is_a_study(executed)
    assert_progress_is_one_line(executed)


def assert_each_question_is_a_study(executed: NotebookNode) -> None:
    """Nothing is shared but what one question trained before: that of the strides."""
    said = {
        cell.id: "".join(o.get("text", "") for o in cell.outputs)
        for cell in executed.cells
        if cell.id.endswith("-run")
    }
    there = {
        name: re.findall(r"= (\d+), of which (\d+) are there", text)[0]
        for name, text in said.items()
    }
    assert there == {
        "kernel-run": ("12", "0"),
        "stride-run": ("10", "0"),
        "padding-run": ("6", "0"),
        "pooling-run": ("8", "0"),
        "confound-run": ("18", "10"),
        "exercise-run": ("4", "0"),
    }


def assert_progress_is_one_line(executed: NotebookNode) -> None:
    (line,) = [text for text in outputs(executed, "kernel-run", "text/plain") if "trial" in text]
    assert re.fullmatch(r"12 trials in \d+:\d\d:\d\d", line)


def test_the_file_is_clean() -> None:
    notebook = read()
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert NOTEBOOK.stat().st_size < 1_500_000
    assert set(notebook.metadata.kernelspec.values()) == {"Python 3", "python", "python3"}


def test_it_links_to_nothing() -> None:
    sources = "\n".join(cell.source for cell in read().cells)
    assert not re.search(r"https?:|www\.|git@|\.com\b|\.org\b", sources)


def test_the_parameters_are_those_of_a_real_run() -> None:
    scope: dict[str, object] = {}
    exec(source("parameters"), scope)
    scope.pop("__builtins__")
    assert scope == {
        "NUM_SEEDS": 10,
        "EPOCHS": 2,
        "LEARNING_RATE": 1.0,
        "TIMING_ROUNDS": 0,
        "TRAIN_SPLIT": "train",
        "TEST_SPLIT": "test",
    }


def test_a_parameter_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="SEEDS: not a parameter"):
        execute(read(), tmp_path, SEEDS=1)


def test_installing_leaves_the_runtimes_jax_alone() -> None:
    (line,) = re.findall(r"%pip .*", source("install"))
    assert line == '%pip install --quiet "{PACKAGE}"'
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    for requirement in wanted:
        assert {bound.operator for bound in requirement.specifier} <= {">="}, requirement
    (jax,) = (requirement for requirement in wanted if requirement.name == "jax")
    assert "0.7.0" in jax.specifier


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with as much of the project as makes it known for one."""
    for file in ("setup.cfg", "experiments/notebook.py", "cnn_ablation/main.py"):
        path = tmp_path / "content" / "cnn_ablation-main" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "content" / "cnn_ablation-main"


@pytest.mark.parametrize("start", ["", "experiments", "cnn_ablation", ".."])
def test_a_checkout_is_found(start: str, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_from(checkout / start, monkeypatch) == checkout


def test_an_uploaded_zip_file_is_unpacked(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "upload").mkdir()
    with zipfile.ZipFile(tmp_path / "upload" / "cnn_ablation (1).zip", "w") as archive:
        for path in checkout.rglob("*"):
            archive.write(path, path.relative_to(checkout.parent))
    for _ in range(2):
        found = found_from(tmp_path / "upload", monkeypatch)
        assert found == tmp_path / "upload" / "cnn_ablation (1)" / "cnn_ablation-main"


def test_an_uploaded_wheel_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("0.1.0", "0.2.0"):
        (tmp_path / f"cnn_ablation-{version}-py3-none-any.whl").touch()
    wheel = tmp_path / "cnn_ablation-0.2.0-py3-none-any.whl"
    assert found_from(tmp_path, monkeypatch) == wheel


def test_where_it_is_installed_nothing_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found_from(tmp_path, monkeypatch, installed=True) is None


def test_where_there_is_none_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileNotFoundError, match=r"upload a wheel .* zip file .* REPOSITORY"):
        found_from(tmp_path, monkeypatch)


def found_from(
    start: Path, monkeypatch: pytest.MonkeyPatch, *, installed: bool = False
) -> Path | None:
    """What the notebook's first cell would install in a folder."""
    monkeypatch.chdir(start)
    if not installed:
        monkeypatch.setattr(importlib.metadata, "distributions", list)
    scope: dict[str, Any] = {}
    exec(source("find-package"), scope)
    found: Path | None = scope["PACKAGE"]
    return found


def test_outputs_of_a_whole_run_are_kept() -> None:
    notebook = read()
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert_shows_everything(notebook)
    (table,) = outputs(notebook, "pooling-table", "text/markdown")
    assert all(" | 10 | " in row for row in table.strip().splitlines()[2:])
