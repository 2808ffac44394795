"""The checks of `doctor`, each on its own: what one finds broken does not keep others from looking.

Nothing but the standard library is imported at the top.
"""

import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from cnn_ablation.version import __version__

State = Literal["ok", "note", "problem"]
_PYTHON = (3, 11)
_PROBE_SECONDS = 180
_ROOM = 500e6
_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)(?:\[.*?\])?\s*(?:>=\s*([0-9.]+))?")
# What can be had besides, and what it gives.
_OPTIONAL = {
    "pyarrow": "results as Parquet and Arrow",
    "pandas": "results.to_pandas()",
    "tensorboard": "--tensorboard",
    "mlflow-skinny": "--mlflow",
    "ray": "--executor=ray, on many machines",
}


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a check has found.

    Attributes:
        state: `ok`, `note` or `problem`.
        name: of what.
        says: what was found, in a sentence.
        todo: what to do about it; empty where there is nothing to do.
    """

    state: State
    name: str
    says: str
    todo: str = ""


def findings() -> Iterator[Finding]:
    """What all checks find, in order; a check that fails is a finding too."""
    for name, check in _CHECKS.items():
        try:
            yield from check()
        except Exception as error:  # Whatever is broken, the others go on.
            why = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            todo = "install the package again: pip install --force-reinstall cnn_ablation"
            yield Finding("problem", name, f"cannot be looked at ({why})", todo)


def _python() -> Iterator[Finding]:
    where = f"{platform.python_version()}, {sys.executable}"
    if sys.version_info < _PYTHON:
        yield Finding("problem", "python", where, "Python 3.11 or newer is needed")
    else:
        yield Finding("ok", "python", where)
    folder = Path(__file__).resolve().parents[1]
    checkout = (folder.parent / "setup.cfg").exists()
    kind = "a checkout: python -m experiments.NAME works too" if checkout else "installed"
    yield Finding("ok", "cnn_ablation", f"{__version__} in {folder} ({kind})")


def _packages() -> Iterator[Finding]:
    found, wrong = [], []
    for name, least in _requirements():
        version = _version(name)
        if version is None:
            wrong.append((name, "is not installed", least))
        elif least and _numbers(version) < _numbers(least):
            wrong.append((name, f"{version} is older than {least}", least))
        else:
            found.append(f"{name} {version}")
    if found:
        yield Finding("ok", "packages", ", ".join(found))
    for name, why, least in wrong:
        wanted = f"'{name}>={least}'" if least else name
        yield Finding("problem", name, why, f"pip install {wanted}")
    for name, gives in _OPTIONAL.items():
        version = _version(name)
        if version is None:
            todo = f"pip install {name}, if you want it"
            yield Finding("note", name, f"is not installed; it gives {gives}", todo)
        else:
            yield Finding("ok", name, f"{version}: {gives}")


def _machine() -> Iterator[Finding]:
    """Devices, compiler and kernels, as a process of its own finds them."""
    command = [sys.executable, "-m", "cnn_ablation.commands.probe"]
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_SECONDS,
            check=False,
        )
        found: dict[str, Any] | None = json.loads(done.stdout.splitlines()[-1])
        why = ""
    except subprocess.TimeoutExpired:
        found, why = None, f"says nothing for {_PROBE_SECONDS} s"
    except (ValueError, IndexError):
        found, why = None, _last_line(done.stderr) or f"ended with exit code {done.returncode}"
    if found is None:
        given = [f"{n}={v}" for n, v in os.environ.items() if n.startswith(("JAX_", "XLA_"))]
        todo = f"look at {', '.join(given)}" if given else "install what is missing again with pip"
        yield Finding("problem", "device", f"training cannot start: {why}", todo)
        return
    count, kinds = len(found["devices"]), ", ".join(dict.fromkeys(found["devices"]))
    yield Finding("ok", "device", f"{found['backend']}: {count} x {kinds}, {os.cpu_count()} cores")
    yield from _compiled(found)


def _compiled(found: dict[str, Any]) -> Iterator[Finding]:
    if found["compiler"] is None:
        todo = "install a C++ compiler (Debian, Ubuntu: apt install g++), or name one by CXX"
        says = f"{found['why']}: training on a CPU works, but more slowly"
        yield Finding("note", "compiler", says, todo)
        return
    yield Finding("ok", "compiler", " ".join(found["compiler"]))
    if found["why"] is None:
        yield Finding("ok", "kernels", f"compiled and current: {found['kernels']}")
    else:
        todo = "nothing: the first training on a CPU compiles them (about 15 s)"
        yield Finding("note", "kernels", f"{found['why']}: {found['kernels']}", todo)


def _caches() -> Iterator[Finding]:
    from cnn_ablation.system.caches import cache_root, require_private

    root = cache_root()
    if not root.exists():
        yield Finding("ok", "caches", f"{root} is not there yet; the first training makes it")
        return
    try:
        require_private(root)
    except ValueError as error:
        yield Finding("problem", "caches", str(error), f"chmod 700 {root}")
        return
    parts = [f"{name} {_size(root / name)}" for name in ("native", "programs")]
    says = f"{root}: {', '.join(parts)} (compiled kernels, compiled programs)"
    yield Finding("ok", "caches", says, f"to free the room: rm -r {root}; it is made again")


def _data() -> Iterator[Finding]:
    from cnn_ablation.data.sources import EMBEDDED_ARCHIVES, resolve_data_dir

    yield _embedded(EMBEDDED_ARCHIVES)
    folder = resolve_data_dir(None)
    prepared = sorted(folder.glob("*/*/dataset_info.json")) if folder.is_dir() else []
    prepared += sorted(folder.glob("*/*/*/dataset_info.json")) if folder.is_dir() else []
    if not prepared:
        says = f"nothing prepared in {folder}; the first training prepares MNIST there (some 20 s)"
        yield Finding("ok", "datasets", says)
        return
    names = [f"{p.parent.relative_to(folder)} ({_size(p.parent)})" for p in prepared]
    yield Finding("ok", "datasets", f"{folder}: {', '.join(names)}")


def _embedded(folder: Path) -> Finding:
    import hashlib

    sums = (folder / "SHA256SUMS").read_text().split()
    for digest, name in zip(sums[::2], sums[1::2], strict=True):
        path = folder / name.lstrip("*")
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            todo = "install the package again: pip install --force-reinstall cnn_ablation"
            return Finding("problem", "mnist", f"{path} is missing or damaged", todo)
    return Finding("ok", "mnist", "the four archives in the package are whole")


def _room() -> Iterator[Finding]:
    here = Path.cwd()
    free = shutil.disk_usage(here).free
    says = f"{free / 1e9:.1f} GB free in {here}"
    if not os.access(here, os.W_OK):
        yield Finding("problem", "room", f"{here} cannot be written", "go to a folder of yours")
    elif free < _ROOM:
        yield Finding("problem", "room", says, "make room: studies and datasets need some 500 MB")
    else:
        yield Finding("ok", "room", says)


_CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "python": _python,
    "packages": _packages,
    "device": _machine,
    "caches": _caches,
    "datasets": _data,
    "room": _room,
}


def _requirements() -> list[tuple[str, str]]:
    """Name and lowest version of each package that is needed always."""
    found = []
    for line in importlib.metadata.requires("cnn_ablation") or ():
        text, _, marker = line.partition(";")
        parts = _REQUIREMENT.match(text.strip())
        if parts is None or "extra" in marker:
            continue
        if "platform_system" in marker and platform.system() == "Windows":
            continue
        found.append((parts[1], parts[2] or ""))
    return found


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:4])


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def _size(folder: Path) -> str:
    files = [file for file in folder.rglob("*") if file.is_file()] if folder.is_dir() else []
    return f"{sum(file.stat().st_size for file in files) / 1e6:.1f} MB"
