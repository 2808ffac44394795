"""The kernels' own test program: as they ship, for each width of vectors, and with sanitizers."""

import dataclasses
import functools
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from cnn_ablation.network.lowerings.native import build

HERE = Path(__file__).parent
KERNELS = HERE.parents[2] / "cnn_ablation" / "network" / "lowerings" / "native"
SHIPPED = build.compile_flags()
UNOPTIMIZED = ["-O0", "-g", "-fno-sanitize-recover=all"]
# Of a run that never ends, as one whose threads wait for each other.
RUN_SECONDS = 300


@dataclasses.dataclass(frozen=True)
class Build:
    """How the program is compiled, and what it is asked to do.

    Attributes:
        flags: the compiler's.
        needs: a flag of an x86 CPU that the build is for, if it is for such a CPU alone.
        lanes: of its vectors, where the flags say so.
        blocks: random blocks to compare with plain loops.
        threaded: random blocks to compare on several threads with one.
        emulated: the machine that it is compiled for and emulated as, where that is another one.
    """

    flags: list[str]
    needs: str | None = None
    lanes: int | None = None
    blocks: int = 300
    threaded: int = 100
    emulated: str | None = None


BUILDS = {
    "shipped": Build(SHIPPED),
    "shipped without AVX-512": Build([*SHIPPED, "-mno-avx512f"], needs="avx512f", lanes=8),
    "AVX without AVX2": Build(["-std=c++17", "-mavx", "-mno-avx2"], needs="avx", lanes=8),
    "default": Build(["-std=c++17"]),
    # Static, so that the emulator needs none of that machine's libraries.
    "64-bit ARM": Build(
        ["-std=c++17", "-O1", "-static"], lanes=4, blocks=100, threaded=10, emulated="aarch64"
    ),
    "address and undefined": Build(
        [*SHIPPED, *UNOPTIMIZED, "-fsanitize=address,undefined"], threaded=20
    ),
    "thread": Build([*SHIPPED, "-O1", "-g", "-fsanitize=thread"], blocks=50, threaded=50),
}


@functools.cache
def cpu_flags() -> frozenset[str]:
    return frozenset(build._cpu().decode().split())


def cross_tool(name: str) -> str:
    """A tool for another machine; skips the test where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def compiler(emulated: str | None) -> list[str]:
    if emulated is not None:
        return [cross_tool(f"{emulated}-linux-gnu-g++")]
    try:
        return build.find_compiler()
    except build.BuildError as error:
        pytest.skip(str(error))


def can_sanitize(flags: list[str], folder: Path) -> bool:
    """Whether the sanitizers' libraries work, told by a program with nothing to find."""
    source, program = folder / "empty.cc", folder / "empty"
    source.write_text("int main() { return 0; }\n")
    command = [*compiler(None), *flags, str(source), "-o", str(program)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return False
    return subprocess.run([program], capture_output=True, check=False).returncode == 0


def compiled(name: str, folder: Path) -> Path:
    """The program of a build; skips the test where the machine cannot make or run it."""
    chosen = BUILDS[name]
    x86 = platform.machine().lower() in ("x86_64", "amd64")
    if chosen.needs is not None and not (x86 and chosen.needs in cpu_flags()):
        pytest.skip(f"this CPU has no {chosen.needs}")
    sanitizes = any(flag.startswith("-fsanitize=") for flag in chosen.flags)
    if sanitizes and not can_sanitize(chosen.flags, folder):
        pytest.skip(f"the compiler has no working sanitizer: {name}")
    program = folder / "kernels"
    flags = [*chosen.flags, "-pthread", "-Wall", "-Wextra", "-Werror", f"-I{KERNELS}"]
    source = HERE / "convolution_kernels.cc"
    command = [*compiler(chosen.emulated), *flags, str(source), "-o", str(program)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return program


@pytest.mark.parametrize("name", BUILDS)
def test_kernels(name: str, tmp_path: Path) -> None:
    """Each line is a check of the program; see `convolution_kernels.cc`."""
    chosen = BUILDS[name]
    emulator = [cross_tool(f"qemu-{chosen.emulated}")] if chosen.emulated else []
    program = compiled(name, tmp_path)
    command = [*emulator, str(program), str(chosen.blocks), str(chosen.threaded)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=RUN_SECONDS)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "lanes: agree for all counts" in done.stdout
    assert f"{chosen.blocks} of {chosen.blocks} blocks agree" in done.stdout
    assert f"{chosen.threaded} of {chosen.threaded} blocks are the same" in done.stdout
    assert "loops: hold" in done.stdout
    assert "memory: holds" in done.stdout
    assert "activations: hold" in done.stdout
    close = chosen.blocks // 3
    assert f"{close} of {close} blocks are close by Winograd's way" in done.stdout
    assert "100 of 100 maps agree" in done.stdout
    assert "Sanitizer" not in output
    if chosen.lanes is not None:
        assert f"{chosen.lanes} lanes: " in done.stdout
