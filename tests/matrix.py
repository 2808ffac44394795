"""The tests on each Python that is here, and on the lowest versions that setup.cfg allows.

./run.sh test --matrix                     Python 3.11, 3.12 and 3.13, as far as they are there
./run.sh test --matrix tests/design -x     these tests alone; whatever pytest takes

For each Python an environment in .venv/matrix/ with the newest packages, and for 3.11 one more with
the lowest that setup.cfg allows, for which a file of constraints is made. Needs a network.
"""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".venv" / "matrix"
VERSIONS = ("3.11", "3.12", "3.13")
LOWEST = "3.11"
# What tests need besides; not to be held to what is lowest.
TOOLS = ("pytest", "pytest-xdist", "hypothesis", "jsonschema", "setuptools")
# Without more words: what covers most and takes some minutes.
USUAL = ("tests/design", "tests/study", "tests/stages", "tests/training", "tests/models")
_LEAST = re.compile(r"^([A-Za-z0-9_.-]+)\s*>=\s*([0-9][0-9.]*)")


def constraints() -> str:
    """The lowest version of each package that is needed always, as pip's constraints."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"].splitlines()
    found = [_LEAST.match(line.strip()) for line in lines]
    return "".join(f"{one[1]}=={one[2]}\n" for one in found if one)


def find_python(version: str) -> str | None:
    """The interpreter of a version: on the path, or pyenv's."""
    command = shutil.which(f"python{version}")
    candidates = [command] if command else []
    candidates += [str(p) for p in Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    for candidate in candidates:
        code = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return candidate
    return None


def environment(name: str, python: str, extra: Sequence[str] = ()) -> Path:
    """An environment with the project's packages, made anew where it is not whole."""
    folder = FOLDER / name
    stamp, wanted = folder / "whole", (ROOT / "setup.cfg").read_text()
    inside = folder / "bin" / "python"
    if stamp.is_file() and stamp.read_text() == wanted:
        return inside
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    install = [str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *extra, str(ROOT), *TOOLS], check=True)
    # The tests are of the tree, not of the copy that pip has installed.
    remove = [str(inside), "-m", "pip", "uninstall", "--quiet", "--yes", "cnn_ablation"]
    subprocess.run(remove, check=True)
    subprocess.run([*install, "--no-deps", "-e", str(ROOT)], check=True)
    stamp.write_text(wanted)
    return inside


def main(words: Sequence[str]) -> int:
    """Runs the tests in each environment; returns 1 where some failed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    limits = FOLDER / "lowest.txt"
    limits.write_text(constraints())
    runs: list[tuple[str, str, Sequence[str]]] = [(one, one, ()) for one in VERSIONS]
    runs.append((f"{LOWEST}-lowest", LOWEST, ("--constraint", str(limits))))
    outcomes = {}
    for name, version, extra in runs:
        python = find_python(version)
        if python is None:
            outcomes[name] = "not here"
            continue
        print(f"== {name}: {python}", flush=True)
        try:
            inside = environment(name, python, extra)
        except subprocess.CalledProcessError as error:
            outcomes[name] = f"cannot be made ({error})"
            continue
        command = [str(inside), "-m", "pytest", *(words or USUAL)]
        code = subprocess.run(command, cwd=ROOT, check=False).returncode
        outcomes[name] = "passed" if code == 0 else f"failed (exit code {code})"
    print("\n".join(f"{name:<13} {outcome}" for name, outcome in outcomes.items()))
    return int(any(outcome not in ("passed", "not here") for outcome in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
