"""How fast the native kernels are, pass by pass, against this machine's peak of multiply-adds.

    python -m experiments.kernels                       one thread, this CPU's widest vectors
    python -m experiments.kernels --flags=-mno-avx512f  as on a CPU without AVX-512
    python -m experiments.kernels --algorithm=direct    without Winograd's way
    python -m experiments.kernels --cxx=clang++         by another compiler

Compiles `experiments/peers/kernels.cc` with the flags that the kernels ship with. GFLOP/s of useful
work, that is of the direct way's multiply-adds, the best of --rounds; peak is what fused
multiply-adds alone reach, measured just before.
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from pathlib import Path

from absl import flags

from cnn_ablation.commands import entry
from cnn_ablation.display.text import markdown_table
from cnn_ablation.errors import InputError
from cnn_ablation.network.lowerings.native import build
from cnn_ablation.system.hardware import describe_hardware
from experiments.peers.peak import compile_beside_kernels

FLAGS = flags.FLAGS
_MODULE = "cnn_ablation: the kernels' speed"
# Name, height, width, channels, side of the kernel, features, stride, pool.
BLOCKS = (
    ("base, block 1", 28, 28, 1, 3, 8, 1, 1),
    ("base, block 2", 26, 26, 8, 3, 16, 1, 1),
    ("pool-2, block 2", 13, 13, 8, 3, 16, 1, 2),
    ("stride-2, block 2", 13, 13, 8, 3, 16, 2, 1),
    ("kernel-7, block 2", 22, 22, 8, 7, 16, 1, 1),
    ("kernel-9, block 2", 20, 20, 8, 9, 16, 1, 1),
    ("hidden layer 9216 to 32", 1, 1, 9216, 1, 32, 1, 1),
)
# In the order of `Algorithm` in block.h.
ALGORITHMS = ("quickest", "direct", "winograd")

flags.DEFINE_integer("batch_size", 128, "images of a call", 1, module_name=_MODULE)
flags.DEFINE_integer("rounds", 30, "calls of each pass, the best counts", 1, module_name=_MODULE)
flags.DEFINE_enum(
    "algorithm", ALGORITHMS[0], ALGORITHMS, "how convolutions are multiplied", module_name=_MODULE
)
flags.DEFINE_string("flags", "", "more flags for the compiler", module_name=_MODULE)
flags.DEFINE_string("cxx", "", "the compiler (default: as the kernels')", module_name=_MODULE)


def main() -> int:
    """Compiles and runs the measurement that the flags describe."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "kernels"
        _compile(program)
        blocks = "\n".join(
            " ".join(map(str, (number, *sizes))) for number, (_, *sizes) in enumerate(BLOCKS)
        )
        command = [str(program), str(FLAGS.batch_size), str(FLAGS.rounds)]
        command.append(str(ALGORITHMS.index(FLAGS.algorithm)))
        done = subprocess.run(command, input=blocks, capture_output=True, text=True, check=True)
    print(report(done.stdout))
    return 0


def report(output: str) -> str:
    """The program's figures as a table with their shares of the peak."""
    *rest, (_, peak, lanes) = (line.split() for line in output.splitlines())
    rows = [["block", "forward", "weights' gradient", "images' gradient"]]
    for number, *figures in rest:
        name = BLOCKS[int(number)][0]
        rows.append([name, *(f"{float(f):.0f} ({float(f) / float(peak):.0%})" for f in figures)])
    about = describe_hardware()["processor"]
    head = f"{about}, one thread, {lanes} lanes, batch {FLAGS.batch_size}: peak {peak} GFLOP/s"
    return f"{head}\n\n{markdown_table(rows)}"


def _compile(program: Path) -> None:
    """Builds the program as the kernels are built.

    Raises:
        InputError: there is no compiler, or it refuses.
    """
    try:
        compiler = shlex.split(FLAGS.cxx) or build.find_compiler()
        more = shlex.split(FLAGS.flags)
    except (ValueError, build.BuildError) as error:
        raise InputError(f"--cxx={FLAGS.cxx} --flags={FLAGS.flags}: {error}") from None
    try:
        done = compile_beside_kernels(compiler, "kernels.cc", program, more)
    except OSError as error:
        raise InputError(f"--cxx={compiler[0]}: cannot be run ({error.strerror})") from None
    if done.returncode:
        said = next(iter(done.stderr.strip().splitlines()), "no message")
        raise InputError(f"--flags={FLAGS.flags}: the compiler refuses: {said}")


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
