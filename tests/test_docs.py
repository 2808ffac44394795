"""The pages are held to the code: their Python runs, their commands parse, their names exist."""

import functools
import importlib.util
import itertools
import json
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import forked
import pytest
from pages import (
    PAGES,
    ROOT,
    Block,
    Script,
    anchors,
    blocks,
    commands,
    excerpts,
    links,
    scripts,
    spans,
)

from cnn_ablation import __main__ as one_command
from cnn_ablation.commands.study import OWN_STUDY
from cnn_ablation.study.checks import check_study
from cnn_ablation.study.metrics import METRICS
from cnn_ablation.study.toml_file import parse_study

PACKAGE = ROOT / "cnn_ablation"
TINY = [
    "--train_split=train[:1%]",
    "--test_split=test[:1%]",
    "--epochs=1",
    "--num_seeds=1",
    "--timing_rounds=0",
    "--nocontrols",
]
SCRIPTS = list(scripts())
# One study's choice goes to a worker; that all kinds can is tested where workers are.
IN_A_WORKER = "softsign.py"
# And one's report is drawn.
DRAWN = "wide.py"

# Folders whose files a page calls by their names alone.
SHORT_NAMES = {
    "docs/kernels.md": ("cnn_ablation/network/lowerings/native", "tests/network/lowerings")
}

# Runs a module's command as far as its flags: they are read, and specs are made from them.
PARSE = """
import json, runpy, sys
from absl import flags
from cnn_ablation.commands import entry, flags as ours

module, lines = sys.argv[1], json.load(sys.stdin)

def parse(*_, **__):
    for words in lines:
        for name in flags.FLAGS:
            flags.FLAGS[name].unparse()
        rest = flags.FLAGS([module, *words])
        takes_files = module in ("cnn_ablation.report", "cnn_ablation.judge")
        assert takes_files or not rest[1:], rest
        if "coordinator" in flags.FLAGS:
            ours.host_options()
            ours.training_settings()
            ours.study_options()
        if module == "cnn_ablation.main":
            ours.trial_spec()
    print(json.dumps(list(flags.FLAGS)))

entry.run = parse
sys.argv = [module]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
COMMANDS = commands()
TOML = [b for page in PAGES for b in blocks(page) if "[[question]]" in b.text]
# Of subcommands that define their flags when they run.
OTHER_FLAGS = {"figures", "json", "split", "top", "out", "metric", "new", "version", "matrix"}
# What has no module of its own: tests of the commands look at these.
OTHERS = {one.partition(" ")[2] for one in COMMANDS if " " in one}
PARSED = [m for m in COMMANDS if m != "experiments.execute_colab" and " " not in m]


@functools.cache
def flags_of(module: str) -> frozenset[str]:
    """The flags of a command, once it has read all that pages give it.

    Raises:
        AssertionError: it refuses them.
    """
    done = run_python("-c", PARSE, module, given=json.dumps(COMMANDS[module]), cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return frozenset(json.loads(done.stdout.splitlines()[-1]))


def run_python(
    *arguments: str, cwd: Path, given: str | None = None, spare: Sequence[str] = ()
) -> "subprocess.CompletedProcess[str]":
    return forked.run(*arguments, cwd=cwd, env=forked.QUICKLY_COMPILED, given=given, spare=spare)


@pytest.mark.processes
@pytest.mark.parametrize("script", SCRIPTS, ids=[f"{s.block.page}:{s.name}" for s in SCRIPTS])
def test_python_of_the_pages_runs(script: Script, tmp_path: Path) -> None:
    # A tenth of the images shows as much.
    code = script.block.text.replace("train[:10%]", "train[:1%]")
    (tmp_path / script.name).write_text(code, encoding="utf-8")
    words: list[str] = []
    if "run_study(" in script.block.text:
        executor = "processes" if script.name == IN_A_WORKER else "inline"
        workers = [f"--executor={executor}", "--workers=1", "--workdir=study"]
        words = [*shlex.split(script.flags), *TINY, *workers]
    spare = ["resampling"] if script.name == DRAWN else ["resampling", "reports"]
    done = run_python(script.name, *words, cwd=tmp_path, spare=spare)
    assert done.returncode == 0, done.stdout + done.stderr
    if words:
        trials = (tmp_path / "study" / "trials.jsonl").read_text().splitlines()
        assert len(trials) > 1
        assert {json.loads(trial)["status"] for trial in trials} == {"completed"}
        assert (tmp_path / "study/report/report.html").exists() == (script.name == DRAWN)


@pytest.mark.parametrize("block", TOML, ids=lambda block: block.page)
def test_studies_in_toml_are_studies(block: Block) -> None:
    check_study(parse_study(block.text).study)


@pytest.mark.parametrize("module", PARSED)
def test_commands_of_the_pages_are_understood(module: str) -> None:
    assert flags_of(module)


def test_commands_without_flags_are_there() -> None:
    for module in COMMANDS:
        assert " " in module or importlib.util.find_spec(module) is not None
    assert {command.name for command in one_command.COMMANDS} >= OTHERS


def test_flags_that_pages_speak_of_are_flags() -> None:
    own = {name for s in SCRIPTS for name in re.findall(r"(\w+): \w+ = cnn\.option", s.block.text)}
    known = own.union({"help"}, OTHER_FLAGS, *map(flags_of, PARSED))
    spoken = {
        (page, name)
        for page in PAGES
        if page != "CONTRIBUTING.md"
        for span in spans(page)
        if span.startswith("--")
        for name in re.findall(r"(?:^| )--(\w+)", span)
    }
    assert len(spoken) > 20
    unknown = {(p, n) for p, n in spoken if n not in known and n.removeprefix("no") not in known}
    assert not unknown


# Commands of other programs: the first group names what must be there, and where.
PROGRAMS = {
    r"pip install -e \.\[(\w+)\]$": "setup.cfg",
    r"\./run\.sh(?: (\w+).*)?$": "run.sh",
    r"sbatch (?:--\S+ )*docs/clusters/(\w+\.sbatch) python -m ": "docs/clusters",
    r'pytest -m "search and (\w+)" tests/execution/hosts/test_scenarios\.py$': "setup.cfg",
    r"(tensorboard|mlflow) ": "setup.cfg",
    r"python3\.11 -m (venv) ": "run.sh",
    r"pip install keras==[\d.]+ tensorflow==[\d.]+ (jax)==[\d.]+ numpy==[\d.]+$": "setup.cfg",
}


def test_commands_of_other_programs_name_what_is_there() -> None:
    unused = set(PROGRAMS)
    for line in (line for page in PAGES for line in other_commands(page)):
        program = next((one for one in PROGRAMS if re.match(one, line)), None)
        assert program, f"{line!r}: a command of no program that is known here"
        path, named = ROOT / PROGRAMS[program], re.match(program, line)
        known = (
            " ".join(each.name for each in path.iterdir()) if path.is_dir() else path.read_text()
        )
        assert named and (named[1] is None or re.search(rf"\b{re.escape(named[1])}\b", known)), line
        unused.discard(program)
    assert not unused


def other_commands(page: str) -> list[str]:
    """The lines of a page's shell blocks that run neither a module nor a file of Python."""
    lines = [
        line.partition("  #")[0].strip()
        for block in blocks(page)
        if block.language == "sh"
        for line in block.text.splitlines()
    ]
    ours = re.compile(r"(?:[A-Z_]+=\S+ )*(?:python|cnn-ablation) |#|$")
    return [line for line in lines if not ours.match(line)]


@pytest.mark.parametrize("block", excerpts(), ids=lambda block: block.source)
def test_excerpts_are_what_the_files_say(block: Block) -> None:
    name = block.source.removeprefix("from ")
    assert block.text in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        name = target.resolve().relative_to(ROOT).as_posix()
        assert target.exists(), link
        assert not anchor or anchor in anchors(name), link


@pytest.mark.parametrize("page", PAGES)
def test_files_that_pages_name_are_there_and_hold_what_they_are_said_to(page: str) -> None:
    made = {script.name for script in SCRIPTS}
    for span in spans(page):
        found = re.fullmatch(r"([\w./-]+\.(?:py|pyi|h|cc|ipynb|cfg))(?::(\w+))?", span)
        if found is None or span in made:
            continue
        path, name = found.groups()
        tops = (PACKAGE, ROOT, *(ROOT / folder for folder in SHORT_NAMES.get(page, ())))
        files = [top / path for top in tops if (top / path).is_file()]
        assert files, f"{span}: no such file"
        if name:
            defined = rf"^\s*(?:def|class) {name}\b|^{name}\b.* = "
            assert re.search(defined, files[0].read_text(encoding="utf-8"), re.MULTILINE), span


def test_the_architecture_names_every_room_from_bottom_to_top() -> None:
    table = PAGES["docs/architecture.md"].partition("## Rooms")[2].partition("##")[0]
    setup = (ROOT / "setup.cfg").read_text().partition("layers =\n")[2].partition("\n\n")[0]
    layers = [re.findall(r"\w+", line) for line in reversed(setup.splitlines())]
    places: list[list[int]] = []
    for layer in layers:
        names = [f"`{r}/`" if (PACKAGE / r).is_dir() else f"`{r}.py`" for r in layer]
        assert all(name in table for name in names), names
        places.append([table.index(name) for name in names])
    assert all(max(low) < min(high) for low, high in itertools.pairwise(places))
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms <= {name for layer in layers for name in layer}


def test_the_readme_has_the_study_that_help_prints() -> None:
    (wide,) = [s for s in SCRIPTS if s.block.page == "README.md" and s.name == "wide.py"]
    assert wide.block.text in OWN_STUDY


def test_every_metric_is_explained() -> None:
    assert all(f"`{metric}`" in PAGES["docs/studies.md"] for metric in METRICS)


def test_pages_are_found() -> None:
    pages: set[Any] = set(PAGES)
    assert {"README.md", "CHANGELOG.md", "docs/extending.md", "docs/architecture.md"} <= pages
    assert len(SCRIPTS) >= 10
    assert {"cnn_ablation.main", "experiments.notebook"} <= set(PARSED)
