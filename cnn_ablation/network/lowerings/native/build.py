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
_VERSION_SECONDS = 60


class BuildError(RuntimeError):
    """The kernels cannot be had here; the message is one line that says why."""


def library() -> tuple[Path, str]:
    """The compiled kernels, compiled now if they have never been.

    Returns:
        The path of the shared library and its key, which no other sources, compiler, flags,
        jaxlib or CPU share.

    Raises:
        BuildError: There is no compiler, it fails, or the cache cannot be used or trusted.
    """
    if os.name != "posix":
        raise BuildError(f"no native kernels on {platform.system()}")
    compiler = find_compiler()
    headers = ["-isystem", jax.ffi.include_dir()]
    command = [*compiler, *compile_flags(), "-shared", *headers, str(_SOURCES / "native.cc")]
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
        BuildError: None of them can be run, or `$CXX` is no command line.
    """
    chosen = os.environ.get("CXX")
    for candidate in [chosen] if chosen else ["c++", "g++", "clang++"]:
        try:
            words = shlex.split(candidate)
        except ValueError as error:
            raise BuildError(f"no C++ compiler: CXX={candidate!r}: {error}") from None
        if words and shutil.which(words[0]):
            return words
    raise BuildError(f"no C++ compiler: CXX={chosen!r}" if chosen else "no C++ compiler")


def compile_flags() -> list[str]:
    """How the kernels are compiled, whatever they become a part of: a library, or a test program.

    The library is used on the machine that compiles it, or on one with the very same CPU.
    """
    arm = platform.machine().lower() in ("aarch64", "arm64")
    cpu = "-mcpu=native" if arm else "-march=native"
    return ["-std=c++17", "-O3", cpu, "-fPIC", "-pthread"]


def _run(command: list[str], seconds: int) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        raise BuildError(f"{command[0]} took more than {seconds} s") from None
    except OSError as error:
        raise BuildError(f"{command[0]} cannot be run: {error}") from error


def _key(compiler: list[str], command: list[str]) -> str:
    asked = _run([*compiler, "--version"], _VERSION_SECONDS)
    version = asked.stdout or asked.stderr
    if not version.strip():
        # Nothing would tell its libraries from those of another version.
        raise BuildError(f"{compiler[0]} --version says nothing, exit code {asked.returncode}")
    digest = hashlib.sha256()
    for part in (
        version.encode(),
        os.fsencode(shlex.join(command)),
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
        done = _run([*command, "-o", name], _COMPILE_SECONDS)
        if done.returncode:
            raise BuildError(f"{command[0]} failed: {_first_error(done)}")
        if not temporary.exists() or temporary.stat().st_size == 0:
            raise BuildError(f"{command[0]} made no library: {_first_error(done)}")
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o700)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _first_error(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    first = lines[0] if lines else f"no message, exit code {done.returncode}"
    return next((line for line in lines if "error" in line), first)
