"""The width of this CPU's vectors, and what its fused multiply-adds alone reach."""

from __future__ import annotations

import dataclasses
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cnn_ablation.network.lowerings.native import build

_SOURCES = Path(__file__).parent
_HEADERS = Path(build.__file__).parent


@dataclasses.dataclass(frozen=True)
class Peak:
    """What the kernels could reach here, if they did nothing but multiply and add.

    Attributes:
        lanes: floats of a vector.
        gflops: of so many threads at once, each on a processor.
    """

    lanes: int
    gflops: float


def compile_beside_kernels(
    compiler: Sequence[str], source: str, program: Path, more: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Builds a program of this folder with the flags that the kernels ship with.

    Args:
        compiler: the words of its command.
        source: a file beside this one.
        program: where it is written.
        more: further flags.

    Raises:
        OSError: the compiler cannot be run.
    """
    kept = [flag for flag in build.compile_flags() if flag != "-fPIC"]
    command = [*compiler, *kept, *more, f"-I{_HEADERS}", str(_SOURCES / source), "-o", str(program)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def measure_peak(threads: int) -> Peak | None:
    """Runs multiply-adds on so many threads at once; None where there is no compiler."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "peak"
        try:
            done = compile_beside_kernels(build.find_compiler(), "peak.cc", program)
        except (build.BuildError, OSError):
            return None
        if done.returncode:
            return None
        running = [
            subprocess.Popen([program], stdout=subprocess.PIPE, text=True) for _ in range(threads)
        ]
        told = [process.communicate()[0].split() for process in running]
    return Peak(int(told[0][0]), sum(float(gflops) for _, gflops in told))
