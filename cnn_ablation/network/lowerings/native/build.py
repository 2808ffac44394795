"""Compile the kernels once with the machine's C++ compiler, into a folder of the user's own."""

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jax
import jaxlib.version

from cnn_ablation.errors import InputError
from cnn_ablation.system.caches import user_cache_dir
from cnn_ablation.system.locks import folder_lock

_SOURCES = Path(__file__).parent
_COMPILE_SECONDS = 300


class BuildError(RuntimeError):
    """The kernels cannot be had here; the message is one line that says why."""


def library() -> tuple[Path, str]:
    """The compiled kernels, compiled now if they have never been.

    Returns:
        The path of the shared library and its key, which no other sources, compiler, flags,
        jaxlib or CPU share.

    Raises:
        BuildError: There is no compiler, it refuses the sources, or the cache cannot be trusted.
    """
    if os.name != "posix":
        raise BuildError(f"no native kernels on {platform.system()}")
    compiler = find_compiler()
    command = [*compiler, *_flags()]
    key = _key(compiler, command)
    try:
        folder = user_cache_dir("native", key)
        path = folder / "kernels.so"
        with folder_lock(folder):
            if not path.exists():
                _compile(command, path)
    except (OSError, InputError) as error:
        raise BuildError(f"no usable cache: {error}") from error
    return path, key


def find_compiler() -> list[str]:
    """The words of the C++ compiler's command: `$CXX`, else the first of c++, g++ and clang++.

    Raises:
        BuildError: None of them can be run.
    """
    chosen = os.environ.get("CXX")
    for candidate in [chosen] if chosen else ["c++", "g++", "clang++"]:
        words = shlex.split(candidate)
        if words and shutil.which(words[0]):
            return words
    raise BuildError(f"no C++ compiler: CXX={chosen}" if chosen else "no C++ compiler")


def _flags() -> list[str]:
    # The library is used on the machine that compiles it, or on one with the very same CPU.
    arm = platform.machine().lower() in ("aarch64", "arm64")
    cpu = "-mcpu=native" if arm else "-march=native"
    headers = ["-isystem", jax.ffi.include_dir()]
    return ["-std=c++17", "-O3", cpu, "-fPIC", "-shared", *headers, str(_SOURCES / "native.cc")]


def _key(compiler: list[str], command: list[str]) -> str:
    version = subprocess.run(
        [*compiler, "--version"], capture_output=True, check=False, timeout=60
    ).stdout
    digest = hashlib.sha256()
    for part in (
        version,
        shlex.join(command).encode(),
        jaxlib.version.__version__.encode(),
        _cpu(),
    ):
        digest.update(len(part).to_bytes(8, "little") + part)
    for source in sorted([*_SOURCES.glob("*.h"), *_SOURCES.glob("*.cc")]):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()[:32]


def _cpu() -> bytes:
    """What tells CPUs apart: `-march=native` is right only where its code was compiled."""
    try:
        lines = Path("/proc/cpuinfo").read_bytes().split(b"\n\n")[0].splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}".encode()
    names = (b"vendor_id", b"cpu family", b"model", b"stepping", b"flags", b"CPU ", b"Features")
    return b"\n".join(line for line in lines if line.startswith(names))


def _compile(command: list[str], path: Path) -> None:
    print(
        f"cnn_ablation: compiling the convolution kernels with {command[0]}, once (about 10 s)",
        file=sys.stderr,
        flush=True,
    )
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".so")
    os.close(handle)
    temporary = Path(name)
    try:
        done = subprocess.run(
            [*command, "-o", name],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_COMPILE_SECONDS,
        )
        if done.returncode:
            raise BuildError(f"{command[0]} failed: {_first_error(done.stderr)}")
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o700)
        temporary.replace(path)
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{command[0]} took more than {_COMPILE_SECONDS} s") from error
    finally:
        temporary.unlink(missing_ok=True)


def _first_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line), lines[0] if lines else "no output")
