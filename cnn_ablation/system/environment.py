"""What a run ran on: versions, device and code revision."""

import contextlib
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import jax

from cnn_ablation.version import __version__

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "tensorflow-datasets")


def describe_environment() -> dict[str, Any]:
    """Versions, platform, devices and git revision, as JSON values."""
    return {
        "cnn_ablation": __version__,
        "git_revision": git_revision(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "platform": platform.platform(),
        **describe_devices(),
    }


def describe_devices() -> dict[str, Any]:
    """What JAX computes on, as JSON values."""
    devices = jax.devices()
    return {
        "cpu_count": os.cpu_count(),
        "backend": jax.default_backend(),
        "device_kind": devices[0].device_kind,
        "device_count": len(devices),
        "process_count": jax.process_count(),
    }


def describe_device(environment: dict[str, Any]) -> str:
    """One line on the devices for people: `cpu: 1 x cpu, 2 cores`."""
    count, kind = environment["device_count"], environment["device_kind"]
    cores = f", {environment['cpu_count']} cores" if environment["backend"] == "cpu" else ""
    hosts = environment["process_count"]
    places = f" on {hosts} hosts" if hosts > 1 else ""
    return f"{environment['backend']}: {count} x {kind}{places}{cores}"


def git_revision() -> str | None:
    """The checkout's commit, with `+changes` where files differ from it; None outside one."""
    folder = Path(__file__).resolve().parent
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        revision = _git(folder, "rev-parse", "HEAD").strip()
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")
        return revision + ("+changes" if changed else "")
    return None


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5)
    return done.stdout


def _version(package: str) -> str | None:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return None
