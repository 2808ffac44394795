"""Compile the kernels once with the machine's C++ compiler, into a folder of the user's own."""

import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jax
import jaxlib.version

from cnn_ablation.errors import InputError
from cnn_ablation.network.lowerings.native.library_record import misfit, write_record
from cnn_ablation.system.caches import cache_root, user_cache_dir
from cnn_ablation.system.files import DiskFullError, is_full, require_room, unwritable
from cnn_ablation.system.locks import folder_lock

_SOURCES = Path(__file__).parent
_COMPILE_SECONDS = 300
_VERSION_SECONDS = 60
_LOAD_SECONDS = 60
_TEMPORARY, _CACHE, _LIBRARY = "tmp", "native", "kernels.so"
# What changes what compilers, or the wrappers that CXX may name, put into a library.
_INFLUENCES = (
    *("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "LD_RUN_PATH"),
    *("COMPILER_PATH", "GCC_EXEC_PREFIX", "CCC_OVERRIDE_OPTIONS", "SDKROOT"),
    *("MACOSX_DEPLOYMENT_TARGET", "CPPFLAGS", "CXXFLAGS", "LDFLAGS"),
)
# Loads a library and finds its functions, as nobody wants to in a process that has work to do.
_TRIAL = (
    "import ctypes, sys; library = ctypes.CDLL(sys.argv[1]); "
    "[getattr(library, name) for name in sys.argv[2:]]"
)


class BuildError(RuntimeError):
    """The kernels cannot be had here; the message is one line that says why."""


def library() -> tuple[Path, str]:
    """The compiled kernels, compiled now if they have never been.

    Returns:
        The path of the shared library and its key, which no other sources, compiler, flags,
        jaxlib or CPU share.

    Raises:
        BuildError: There is no compiler, it fails, or the cache cannot be used or trusted.
        DiskFullError: So it is; a run with another lowering would not go on when there is room.
    """
    command, key = _command_and_key()
    try:
        folder = user_cache_dir(_CACHE, key)
        path = folder / _LIBRARY
        with folder_lock(folder) as lock:
            why = misfit(path) if path.exists() else None
            if why is not None:
                print(f"cnn_ablation: {path}: not used: {why}", file=sys.stderr, flush=True)
            if why is not None or not path.exists():
                if lock.held:
                    _remove_leftovers(folder)
                _compile(command, path)
    except DiskFullError:
        raise
    except (OSError, InputError) as error:
        if isinstance(error, OSError) and is_full(error):
            raise unwritable(Path(error.filename or _CACHE), error) from None
        raise BuildError(f"no usable cache: {error}") from error
    return path, key


def kept() -> tuple[Path, str | None]:
    """Where the compiled kernels lie, and why they cannot be used as they are; compiles nothing.

    Returns:
        The path of the shared library, and None where it is there and whole.

    Raises:
        BuildError: There is no compiler.
    """
    _, key = _command_and_key()
    path = cache_root() / _CACHE / key / _LIBRARY
    if not path.exists():
        return path, "not compiled yet"
    try:
        return path, misfit(path)
    except (OSError, InputError) as error:
        return path, str(error)


def _command_and_key() -> tuple[list[str], str]:
    if os.name != "posix":
        raise BuildError(f"no native kernels on {platform.system()}")
    compiler = find_compiler()
    headers = ["-isystem", jax.ffi.include_dir()]
    command = [*compiler, *compile_flags(), "-shared", *headers, str(_SOURCES / "native.cc")]
    return command, _key(compiler, command)


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
    for source in _sources():
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    for name in _INFLUENCES:
        if name in os.environ:
            value = os.fsencode(os.environ[name])
            digest.update(f"{name} {len(value)} ".encode() + value)
    return digest.hexdigest()[:32]


def _sources() -> list[Path]:
    return sorted([*_SOURCES.glob("*.h"), *_SOURCES.glob("*.cc")])


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
        f"cnn_ablation: compiling the convolution kernels with {command[0]}, once (about 15 s)",
        file=sys.stderr,
        flush=True,
    )
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_TEMPORARY, suffix=".so")
    os.close(handle)
    temporary = Path(name)
    try:
        done = _run([*command, "-o", name], _COMPILE_SECONDS)
        if done.returncode:
            for folder in (path.parent, Path(tempfile.gettempdir())):
                require_room(folder)
            raise BuildError(f"{command[0]} failed: {_first_error(done)}")
        if not temporary.exists() or temporary.stat().st_size == 0:
            raise BuildError(f"{command[0]} made no library: {_first_error(done)}")
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o700)
        _try_out(command[0], temporary)
        _keep(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        temporary.with_suffix(".json").unlink(missing_ok=True)


def _remove_leftovers(folder: Path) -> None:
    """Removes what a process has left that was killed while it compiled."""
    for pattern in (f"{_TEMPORARY}*", f".{_TEMPORARY}*"):
        for leftover in folder.glob(pattern):
            leftover.unlink(missing_ok=True)


def _keep(temporary: Path, path: Path) -> None:
    """Puts a library in its place; a kill at any moment leaves one that is made again."""
    path.unlink(missing_ok=True)
    write_record(temporary)
    temporary.with_suffix(".json").replace(path.with_suffix(".json"))
    temporary.replace(path)


def _try_out(compiler: str, library: Path) -> None:
    """Loads a new library in a process of its own, which is all that a bad one can end."""
    pattern = re.compile(r"XLA_FFI_DEFINE_HANDLER_SYMBOL\(\s*(\w+)")
    names = [name for source in _sources() for name in pattern.findall(source.read_text())]
    done = _run([sys.executable, "-I", "-c", _TRIAL, str(library), *names], _LOAD_SECONDS)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        why = lines[-1] if lines else f"exit code {done.returncode}"
        raise BuildError(f"{compiler} made a library that does not load: {why}")


def _first_error(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    first = lines[0] if lines else f"no message, exit code {done.returncode}"
    return next((line for line in lines if "error" in line), first)
