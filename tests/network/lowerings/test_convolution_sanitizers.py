"""The kernels over random shapes, built with sanitizers and for each width of vectors."""

import platform
import subprocess
from pathlib import Path

import pytest

from cnn_ablation.network.lowerings.native import build

HERE = Path(__file__).parent
KERNELS = HERE.parents[2] / "cnn_ablation" / "network" / "lowerings" / "native"
SANITIZERS = ["-march=native", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
BUILDS = {"sanitizers": SANITIZERS, "default": []}
if platform.machine() == "x86_64" and "avx2" in build._cpu().decode().split():
    BUILDS["avx2"] = ["-mavx2", "-mfma"]


def compiler() -> list[str]:
    try:
        return build.find_compiler()
    except build.BuildError as error:
        pytest.skip(str(error))


def can_sanitize(folder: Path) -> bool:
    """Whether the sanitizers' libraries are here, told by a program with nothing to find."""
    source, program = folder / "empty.cc", folder / "empty"
    source.write_text("int main() { return 0; }\n")
    command = [*compiler(), *SANITIZERS, str(source), "-o", str(program)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return False
    return subprocess.run([program], capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILDS)
def test_kernels_equal_plain_loops(name: str, tmp_path: Path) -> None:
    if name == "sanitizers" and not can_sanitize(tmp_path):
        pytest.skip("the compiler has no sanitizers")
    program = tmp_path / "kernels"
    flags = ["-std=c++17", "-O0", "-Wall", "-Wextra", "-Werror", "-pthread", *BUILDS[name]]
    command = [*compiler(), *flags, f"-I{KERNELS}", str(HERE / "convolution_kernels.cc")]
    built = subprocess.run(
        [*command, "-o", str(program)], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    done = subprocess.run([program, "300"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "300 of 300 blocks agree" in done.stdout
