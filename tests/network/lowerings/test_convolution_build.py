"""The kernels are compiled once, by one process, into a folder that is the user's alone."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnn_ablation.errors import InputError
from cnn_ablation.network.lowerings.native import build

ROOT = Path(__file__).parents[3]

# A compiler that counts its calls and makes a library that is a plain file.
FAKE_COMPILER = """#!/bin/sh
if [ "$1" = --version ]; then echo "fake 1.0"; exit 0; fi
echo call >> "{calls}"
sleep 0
for last; do :; done
echo library > "$last"
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("CNN_ABLATION_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fake compiler is in use; the file has a line for each library that it made."""
    calls, compiler = tmp_path / "calls", tmp_path / "compiler"
    compiler.write_text(FAKE_COMPILER.format(calls=calls))
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setattr(build, "_try_out", lambda compiler, library: None)
    return calls


def fake(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler that runs lines of shell; it is in use."""
    compiler = folder / "fake"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    return compiler


def start(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_compiled_once_by_processes_that_start_together(cache: Path, calls: Path) -> None:
    compiler = Path(os.environ["CXX"])
    compiler.write_text(compiler.read_text().replace("sleep 0", "sleep 1"))
    code = (
        "from cnn_ablation.network.lowerings.native import build\n"
        "build._try_out = lambda compiler, library: None\n"
        "print(*build.library())"
    )
    together = [start(code) for _ in range(3)]
    outputs = {process.communicate()[0] for process in together}
    assert [process.returncode for process in together] == [0, 0, 0]
    assert len(outputs) == 1
    assert calls.read_text().splitlines() == ["call"]
    path = Path(outputs.pop().split()[0])
    assert path.read_text() == "library\n"
    assert not list(path.parent.glob("tmp*"))
    for level in (path.parent, path.parent.parent):
        assert level.stat().st_mode & 0o077 == 0


def test_key_follows_compiler_and_flags(
    cache: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = Path(os.environ["CXX"])
    _, first = build.library()
    assert build.library()[1] == first
    compiler.write_text(compiler.read_text().replace("fake 1.0", "fake 2.0"))
    assert build.library()[1] != first
    monkeypatch.setattr(build, "_cpu", lambda: b"another")
    assert len({first, build.library()[1]}) == 2
    assert len(calls.read_text().splitlines()) == 3


@pytest.mark.parametrize("name", build._INFLUENCES)
def test_key_follows_what_changes_what_a_compiler_includes(
    cache: Path, calls: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    _, first = build.library()
    monkeypatch.setenv(name, "/elsewhere")
    assert build.library()[1] != first


@pytest.mark.parametrize("mode", [0o770, 0o707])
@pytest.mark.parametrize("place", ["", "native", "native/{key}", "native/{key}/kernels.so"])
def test_what_is_open_to_others_is_refused(cache: Path, calls: Path, mode: int, place: str) -> None:
    _, key = build.library()
    (cache / place.format(key=key)).chmod(mode)
    with pytest.raises(build.BuildError, match="can be written by other users"):
        build.library()


def test_a_link_in_the_place_of_the_library_is_refused(cache: Path, calls: Path) -> None:
    path, _ = build.library()
    path.rename(path.with_name("elsewhere.so"))
    path.symlink_to("elsewhere.so")
    with pytest.raises(build.BuildError, match=r"kernels\.so is a link; allowed is a file"):
        build.library()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("kernels.so", b"librarY\n"),
        ("kernels.so", b"lib"),
        ("kernels.so", b""),
        ("kernels.json", b"{}"),
        ("kernels.json", b"["),
        ("kernels.json", b'{"sha256": "0", "size": 8}'),
        ("kernels.json", None),
    ],
)
def test_a_damaged_library_is_not_loaded_but_compiled_again(
    cache: Path, calls: Path, name: str, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path, key = build.library()
    capsys.readouterr()
    if content is None:
        path.with_name(name).unlink()
    else:
        path.with_name(name).write_bytes(content)
    assert build.library() == (path, key)
    assert path.read_bytes() == b"library\n"
    assert capsys.readouterr().err.startswith(f"cnn_ablation: {path}: not used: it")
    assert len(calls.read_text().splitlines()) == 2
    assert build.library() == (path, key)
    assert capsys.readouterr().err == ""


def test_what_a_killed_process_has_left_is_removed(cache: Path, calls: Path) -> None:
    path, _ = build.library()
    path.unlink()
    for name in ("tmpabc.so", "tmpabc.json", ".tmpabc.json.x"):
        path.with_name(name).touch()
    build.library()
    left = sorted(one.name for one in path.parent.iterdir() if one.suffix != ".lock")
    assert left == ["kernels.json", "kernels.so"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ('"no ELF" > "$last"', "(invalid ELF|file too short|not a mach-o)"),
        ("", "(undefined symbol|symbol not found)"),
        ("void nowhere(); void Forward() { nowhere(); }", "(undefined symbol|not found)"),
        ("__attribute__((constructor)) void end() { __builtin_trap(); }", "exit code -"),
    ],
)
def test_what_a_broken_compiler_emits_is_not_kept(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, why: str
) -> None:
    try:
        real = build.find_compiler()[0]
    except build.BuildError as error:
        pytest.skip(str(error))
    (tmp_path / "other.cc").write_text(source)
    makes = f'{real} -shared -fPIC {tmp_path}/other.cc -o "$last"'
    if ">" in source:
        makes = f"echo {source}"
    fake(tmp_path, f"{VERSION}\nfor last; do :; done\n{makes}", monkeypatch)
    for _ in range(2):
        with pytest.raises(build.BuildError, match=f"fake made a library that .*: .*{why}"):
            build.library()
    assert not list(cache.rglob("*.so")) and not list(cache.rglob("*.json"))


def test_a_full_disk_is_no_reason_for_another_lowering(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, f"{VERSION}\nexit 1", monkeypatch)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"\(No space left on device\); make room"):
        build.library()


def test_folder_of_another_user_is_refused(
    cache: Path, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.library()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(build.BuildError, match="belongs to another user"):
        build.library()


def test_failed_build_leaves_nothing_and_says_why(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "broken"
    compiler.write_text(
        '#!/bin/sh\necho "In file included from x" >&2\necho "x.h:1: error: no" >&2\nexit 1\n'
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    with pytest.raises(build.BuildError, match=r"broken failed: x\.h:1: error: no$"):
        build.library()
    assert not list(cache.rglob("*.so"))


@pytest.mark.parametrize("quote", ["'", '"', "\\"])
def test_unbalanced_quote_in_cxx(cache: Path, monkeypatch: pytest.MonkeyPatch, quote: str) -> None:
    monkeypatch.setenv("CXX", f"g++ -D{quote}")
    with pytest.raises(build.BuildError, match=r"^no C\+\+ compiler: CXX=.*: No ") as caught:
        build.library()
    assert "\n" not in str(caught.value)


def test_cxx_may_have_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", f"{sys.executable} -g '-DNAME=a b'")
    assert build.find_compiler() == [sys.executable, "-g", "-DNAME=a b"]


VERSION = 'if [ "$1" = --version ]; then echo "fake 1.0"; exit 0; fi'


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exit 0", r"fake --version says nothing, exit code 0$"),
        ("exit 3", r"fake --version says nothing, exit code 3$"),
        (f"{VERSION}\nexit 4", r"fake failed: no message, exit code 4$"),
        (f"{VERSION}\nexit 0", r"fake made no library: no message, exit code 0$"),
        (f"{VERSION}\nfor o; do :; done; rm $o", r"fake made no library: no message, exit code 0$"),
    ],
    ids=["version", "failed version", "failed", "empty library", "no library"],
)
def test_compiler_that_says_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    fake(tmp_path, script, monkeypatch)
    for _ in range(2):  # Nothing was kept that the next process would load.
        with pytest.raises(build.BuildError, match=message):
            build.library()
    assert not list(cache.rglob("*.so"))


def test_key_follows_a_version_told_on_stderr(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'if [ "$1" = --version ]; then echo 1 >&2; exit 0; fi\nfor o; do :; done; echo x > $o'
    compiler = fake(tmp_path, script, monkeypatch)
    monkeypatch.setattr(build, "_try_out", lambda compiler, library: None)
    _, first = build.library()
    compiler.write_text(compiler.read_text().replace("echo 1", "echo 2"))
    assert build.library()[1] != first


def test_compiler_that_cannot_be_run(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = fake(tmp_path, "", monkeypatch)
    compiler.write_text("no program\n")
    with pytest.raises(build.BuildError, match=r"fake cannot be run: .*Exec format error"):
        build.library()


def test_compiler_that_never_ends(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_VERSION_SECONDS", 0.1)
    fake(tmp_path, "exec sleep 60", monkeypatch)
    with pytest.raises(build.BuildError, match=r"fake took more than 0\.1 s$"):
        build.library()


def test_flags_are_those_of_the_compiler(cache: Path, calls: Path) -> None:
    """What other tests compile with the same flags is what ships."""
    compiler = Path(os.environ["CXX"])
    compiler.write_text(compiler.read_text().replace("echo call", 'echo "$@"'))
    build.library()
    words = calls.read_text().split()
    flags = build.compile_flags()
    assert words[: len(flags)] == flags
    assert "-O3" in flags
    assert [word for word in words[len(flags) :] if word.startswith(("-O", "-m", "-f"))] == []


def test_cache_that_cannot_be_written(cache: Path, calls: Path) -> None:
    cache.write_text("a file, not a folder")
    with pytest.raises(build.BuildError, match="no usable cache"):
        build.library()


def test_without_a_compiler_auto_is_banded_with_one_notice(cache: Path) -> None:
    code = (
        "import os; os.environ['CXX'] = '/nowhere/c++'\n"
        "from cnn_ablation.network.lowerings import choose_lowering\n"
        "from cnn_ablation.errors import InputError\n"
        "print(choose_lowering('auto', 'cpu'), choose_lowering('auto', 'cpu'))\n"
        "try: choose_lowering('native', 'cpu')\n"
        "except InputError as error: print(error)\n"
    )
    out, notices = start(code).communicate()
    assert out.splitlines()[0] == "banded banded"
    assert out.splitlines()[1].startswith("--conv=native: ")
    assert "/nowhere/c++" in out.splitlines()[1]
    assert len(notices.splitlines()) == 1
    assert "--conv=banded" in notices
