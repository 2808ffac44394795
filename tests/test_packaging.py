"""What is installed: a wheel and a source archive, built offline, hold the whole package alone."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cnn_ablation.version import __version__

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
FILES = ("README.md", "LICENSE", "CITATION.cff", "MANIFEST.in", "setup.cfg", "pyproject.toml")
FOLDERS = ("cnn_ablation", "experiments", "tests", "docs")
# A few that must be there, so that a folder that has moved away is not thought empty.
DATA = {
    "cnn_ablation/py.typed",
    "cnn_ablation/data/archives/README.md",
    "cnn_ablation/data/archives/SHA256SUMS",
    "cnn_ablation/data/archives/train-images-idx3-ubyte.gz",
    "cnn_ablation/data/archives/t10k-labels-idx1-ubyte.gz",
    "cnn_ablation/network/lowerings/native/native.cc",
    "cnn_ablation/network/lowerings/native/simd.h",
    "cnn_ablation/report/templates/report.html.j2",
    "cnn_ablation/report/templates/report.css",
    "cnn_ablation/studies/notebook_results.json",
}
SDIST = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
BUILD = "from setuptools import setup; setup()"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A checkout without what is only read: building writes beside the sources."""
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("setuptools is not installed")
    ignored = shutil.ignore_patterns("__pycache__", "results", "*.ipynb")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / "source" / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / "source" / name)
    return tmp_path / "source"


def python(*arguments: str, cwd: Path) -> None:
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def files_below(folder: Path, top: str = "") -> set[str]:
    """The files in a folder by their paths from it, of all or of what is in `top`."""
    paths = (path for path in (folder / top).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in paths}


def test_the_whole_package_is_built_and_nothing_else(source: Path, tmp_path: Path) -> None:
    wanted = files_below(source, "cnn_ablation")
    assert wanted >= DATA
    python("-c", BUILD, "-q", "build", f"--build-lib={tmp_path / 'built'}", cwd=source)
    assert files_below(tmp_path / "built") == wanted


def test_a_wheel_holds_the_whole_package_and_nothing_else(source: Path, tmp_path: Path) -> None:
    # Not by looking for its modules: that would import setuptools, here, after distutils maybe.
    version = importlib.metadata.version("setuptools").split(".")[:2]
    if tuple(map(int, version)) < (70, 1) and importlib.util.find_spec("wheel") is None:
        pytest.skip("this setuptools builds no wheels; from 70.1 on it does")
    wanted = files_below(source, "cnn_ablation")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    python("-m", "pip", "wheel", "-q", *options, f"--wheel-dir={tmp_path}", ".", cwd=source)
    (wheel,) = tmp_path.glob("cnn_ablation-*-py3-none-any.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    information = {name for name in names if name.partition("/")[0].endswith(".dist-info")}
    assert names - information == wanted
    assert {Path(name).name for name in information} >= {"METADATA", "RECORD", "LICENSE"}
    _, entry_points = read_from(wheel, information, "METADATA", "entry_points.txt")
    assert entry_points.split() == [
        *("[console_scripts]", "cnn-ablation", "=", "cnn_ablation.__main__:main")
    ]


def read_from(wheel: Path, information: set[str], *names: str) -> list[str]:
    """Files of a wheel's information, by their names."""
    paths = [next(one for one in information if one.endswith(f"/{name}")) for name in names]
    return [zipfile.ZipFile(wheel).read(path).decode() for path in paths]


def test_lowest_versions_are_those_of_the_setup() -> None:
    spec = importlib.util.spec_from_file_location("matrix", ROOT / "tests" / "matrix.py")
    assert spec is not None and spec.loader is not None
    matrix = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(matrix)
    lines = matrix.constraints().splitlines()
    assert "jax==0.7.0" in lines
    needed = (ROOT / "setup.cfg").read_text().partition("install_requires =")[2].partition("\n[")[0]
    assert len(lines) == sum(">=" in line for line in needed.splitlines())


def test_what_describes_the_package_says_one_thing() -> None:
    cited = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {__version__}\n" in cited
    assert "](" not in (ROOT / "docs" / "package.md").read_text(), "a link leads nowhere there"


def test_a_source_archive_is_enough_to_build_from(source: Path, tmp_path: Path) -> None:
    wanted = files_below(source, "cnn_ablation")
    python("-c", SDIST, str(tmp_path), cwd=source)
    (archive,) = tmp_path.glob("cnn_ablation-*.tar.gz")
    shutil.unpack_archive(archive, tmp_path / "unpacked")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    tests = {name for name in files_below(source, "tests") if not name.endswith(".pyc")}
    assert files_below(unpacked) >= wanted | tests | set(FILES)
    python("-c", BUILD, "-q", "build", f"--build-lib={tmp_path / 'built'}", cwd=unpacked)
    assert files_below(tmp_path / "built") == wanted
    # Its own tests run, on its own modules.
    own = ["tests/options", "tests/test_errors.py", "tests/test_installed.py"]
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow", *own]
    done = subprocess.run(
        command, cwd=unpacked, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
