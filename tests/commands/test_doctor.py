"""`doctor`: what it finds here, and that it goes on where much is broken."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnn_ablation.commands import checkup

ROOT = Path(__file__).parents[2]


def run(*words: str, broken: Path | None = None, **environment: str) -> tuple[int, str, str]:
    paths = [str(path) for path in (broken, ROOT) if path is not None]
    done = subprocess.run(
        [sys.executable, "-m", "cnn_ablation", "doctor", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def states(text: str) -> dict[str, str]:
    return {finding["name"]: finding["state"] for finding in json.loads(text)}


def test_nothing_is_wrong_here(tmp_path: Path) -> None:
    code, out, _ = run("--json", CNN_ABLATION_CACHE_DIR=str(tmp_path / "none"))
    found = states(out)
    assert code == 0
    assert found["device"] == found["mnist"] == found["packages"] == "ok"
    assert not (tmp_path / "none").exists(), "it must only look"
    kernels = [one for one in json.loads(out) if one["name"] == "kernels"]
    assert all("not compiled yet" in one["says"] for one in kernels)


def test_it_says_what_to_do_about_a_jax_that_does_not_start() -> None:
    code, out, err = run(JAX_PLATFORMS="nope")
    assert (code, err) == (1, "")
    assert "problem  device" in out
    assert "-> look at JAX_PLATFORMS=nope" in out
    assert "1 problem: see -> above" in out
    assert "room" in out, "the other checks go on"


@pytest.mark.parametrize("package", ["jax", "lazy_loader", "platformdirs"])
def test_it_works_without_a_package(package: str, tmp_path: Path) -> None:
    (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError('no {package}')")
    code, out, err = run("--json", broken=tmp_path)
    assert (code, err) == (1, "")
    found = states(out)
    assert found["device"] == "problem"
    assert found["python"] == "ok"
    assert found["room"] == "ok"


def test_packages_that_are_missing_or_too_old_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"jax": "0.6.9", "numpy": "2.10.1"}
    monkeypatch.setattr(checkup, "_version", there.get)
    needed = [("jax", "0.7.0"), ("numpy", "2.0"), ("flax", "0.10.6")]
    monkeypatch.setattr(checkup, "_requirements", lambda: needed)
    found = {one.name: one for one in checkup._packages()}
    assert found["packages"].says == "numpy 2.10.1"
    assert found["jax"].says == "0.6.9 is older than 0.7.0"
    assert found["flax"].todo == "pip install 'flax>=0.10.6'"
    assert found["jax"].state == found["flax"].state == "problem"
    assert found["ray"].state == "note"


def test_archives_that_are_damaged_are_a_problem(tmp_path: Path) -> None:
    assert checkup._embedded(ROOT / "cnn_ablation/data/archives").state == "ok"
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  a.gz\n")
    assert checkup._embedded(tmp_path).state == "problem"


def test_a_cache_that_others_may_write_to_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setenv("CNN_ABLATION_CACHE_DIR", str(tmp_path))
    (finding,) = checkup._caches()
    assert (finding.state, finding.todo) == ("problem", f"chmod 700 {tmp_path}")


def test_a_check_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(checkup, "_CHECKS", {"odd": fail})
    (finding,) = checkup.findings()
    assert finding.says == "cannot be looked at (RuntimeError: two lines)"
