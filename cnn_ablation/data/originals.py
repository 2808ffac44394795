"""The original archives: which are at hand, and whether they are what TFDS has registered."""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from cnn_ablation.data.sources import SOURCES, Source
from cnn_ablation.errors import InputError


def verify_archives(source: Source, folder: Path) -> None:
    """Compares the archives in a folder with the checksums that TFDS registers.

    Raises:
        InputError: one differs or cannot be read, or the folder holds none of them.
    """
    present = [folder / name for name in source.archives.names() if (folder / name).is_file()]
    if not present:
        names = ", ".join(source.archives.names())
        raise InputError(f"--manual_dir={folder}: holds none of {source.name}'s archives: {names}")
    expected = registered_sha256(source)
    for path in present:
        found = _sha256(path)
        if found != expected[path.name]:
            raise InputError(
                f"{path}: {_identify(found)}: its SHA-256 is {found},"
                f" {source.name}'s is {expected[path.name]}"
            )


def missing_archives(source: Source, root: Path, folder: Path | None) -> list[str]:
    """Names of the archives that are neither in `folder` nor among TFDS's downloads in `root`."""
    from tensorflow_datasets.core.download.resource import get_dl_fname

    expected = registered_sha256(source)

    def at_hand(name: str) -> bool:
        if folder is not None and (folder / name).is_file():
            return True
        downloaded = get_dl_fname(archive_url(source, name), expected[name])
        return any((root / "downloads").rglob(downloaded))

    return [name for name in source.archives.names() if not at_hand(name)]


def archive_url(source: Source, name: str) -> str:
    """Where TFDS downloads an archive from."""
    import tensorflow_datasets as tfds

    return urljoin(tfds.builder_cls(source.name).URL, name)


def registered_sha256(source: Source) -> dict[str, str]:
    """The SHA-256 that TFDS has registered for each archive, by file name."""
    from tensorflow_datasets.core.download import checksums

    infos: dict[str, Any] = checksums.get_all_url_infos()
    return {name: infos[archive_url(source, name)].checksum for name in source.archives.names()}


def _identify(sha256: str) -> str:
    """Says whose archive this is: those of the three datasets have the same names."""
    for source in SOURCES.values():
        if sha256 in registered_sha256(source).values():
            return f"is {source.name}'s archive"
    return "is damaged, or another file"


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
