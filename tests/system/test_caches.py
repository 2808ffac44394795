"""Where a user's caches lie, and that nobody else can write there."""

import sys
from pathlib import Path

import jax
import pytest

from cnn_ablation.errors import InputError
from cnn_ablation.system.caches import VARIABLE, user_cache_dir
from cnn_ablation.system.compilation import keep_compiled_programs


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have folders of their own")
@pytest.mark.parametrize("xdg", [None, "", "elsewhere"])
def test_the_folder_on_linux(
    xdg: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if xdg is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", xdg and str(tmp_path / xdg))
    folder = user_cache_dir("native", "key")
    assert folder == tmp_path / (xdg or ".cache") / "cnn_ablation" / "native" / "key"
    assert folder.is_dir() and folder.stat().st_mode & 0o777 == 0o700


def test_the_variable_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert user_cache_dir("programs") == tmp_path / "mine" / "programs"
    (tmp_path / "mine" / "programs").chmod(0o770)
    with pytest.raises(InputError, match=f"other users; allowed is mode 700, and {VARIABLE} names"):
        user_cache_dir("programs")


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_root_that_others_may_write_to_is_refused(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine").chmod(mode)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine"))
    with pytest.raises(
        InputError, match=r"mine can be written by other users; allowed is mode 700"
    ):
        user_cache_dir("programs")


def test_a_folder_for_programs_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    before = jax.config.values["jax_compilation_cache_dir"]
    folder, program = tmp_path / "mine", tmp_path / "mine" / "jit_f-cache"
    try:
        keep_compiled_programs(str(folder))
        assert folder.stat().st_mode & 0o777 == 0o700
        program.touch(0o666)
        program.chmod(0o666)
        keep_compiled_programs(str(folder))
        folder.chmod(0o755)
        with pytest.raises(InputError, match="jit_f-cache can be written by other users"):
            keep_compiled_programs(str(folder))
        folder.chmod(0o770)
        with pytest.raises(
            InputError, match=r"mine can be written .*--compilation_cache_dir names"
        ):
            keep_compiled_programs(str(folder))
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
