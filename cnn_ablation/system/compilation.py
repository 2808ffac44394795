"""JAX's persistent compilation cache: a program that this user compiled once is read back."""

import stat
from pathlib import Path

import jax

from cnn_ablation.errors import InputError
from cnn_ablation.system.caches import require_private, user_cache_dir
from cnn_ablation.system.kept_programs import tell_in_one_line
from cnn_ablation.system.paths import user_path

_FLAG = "compilation_cache_dir"


def keep_compiled_programs(folder: str | None) -> Path | None:
    """Turns the cache on, for programs of any size and compile time.

    Args:
        folder: where; None is a private folder per user, an empty text keeps nothing.

    Returns:
        The folder, or None where nothing is kept.

    Raises:
        InputError: the folder cannot be made, or other users can put programs into it.
    """
    if folder == "":
        jax.config.update("jax_enable_compilation_cache", False)
        return None
    path = user_cache_dir("programs") if folder is None else user_path(_FLAG, folder)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _require_private(path)
    except OSError as error:
        raise InputError(
            f"--compilation_cache_dir={folder}: must be a folder to write to ({error.strerror})"
        ) from None
    tell_in_one_line(path)
    jax.config.update("jax_compilation_cache_dir", str(path))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return path


def _require_private(folder: Path) -> None:
    """Refuses a folder, and files that others reach in it, which they may write: JAX runs them."""
    instead = f"--{_FLAG} names another folder"
    require_private(folder, instead)
    if folder.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH):
        for file in folder.iterdir():
            require_private(file, instead)
