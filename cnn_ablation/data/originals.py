"""The original archives: which are at hand, and whether they are what TFDS has registered.

An archive that was compressed anew, as those of Debian's packages are, is another file with the
same content: it is known by the content's own checksum.
"""

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from cnn_ablation.data.sources import SOURCES, Source
from cnn_ablation.errors import InputError

# More than any of the archives holds.
_MOST_BYTES, _BLOCK = 100_000_000, 2**20


def verify_archives(source: Source, folder: Path) -> None:
    """Compares the archives in a folder with the checksums that TFDS registers, or of contents.

    Raises:
        InputError: one holds something else or cannot be read, or the folder holds none of them.
    """
    present = [folder / name for name in source.archives.names() if (folder / name).is_file()]
    if not present:
        names = ", ".join(source.archives.names())
        raise InputError(f"--manual_dir={folder}: holds none of {source.name}'s archives: {names}")
    expected = registered_sha256(source)
    for path in present:
        found = _sha256(path)
        if found != expected[path.name] and not _holds_content(source, path):
            raise InputError(
                f"{path}: {_identify(found)}: its SHA-256 is {found},"
                f" {source.name}'s is {expected[path.name]}"
            )


def compressed_anew(source: Source, folder: Path | None) -> dict[str, Path]:
    """The archives in a folder that hold what they should in another form than TFDS expects."""
    if folder is None:
        return {}
    expected = registered_sha256(source)
    paths = {name: folder / name for name in source.archives.names()}
    return {
        name: path
        for name, path in paths.items()
        if path.is_file() and _sha256(path) != expected[name] and _holds_content(source, path)
    }


def _holds_content(source: Source, path: Path) -> bool:
    """Whether an archive, whatever its own bytes are, holds what the original holds."""
    expected = dict(zip(source.archives.names(), source.contents, strict=False)).get(path.name)
    if expected is None:
        return False
    digest, left = hashlib.sha256(), _MOST_BYTES
    try:
        with gzip.open(path) as file:
            while block := file.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    return False
                digest.update(block)
    except (OSError, EOFError, zlib.error):
        return False
    return digest.hexdigest() == expected


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
