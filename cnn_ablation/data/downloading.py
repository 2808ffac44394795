"""Archives from the network, by TFDS's own downloader; one clear line where there is none.

Without a network that downloader tries ten times, with forty warnings and for minutes, before it
gives up. So one small request comes first.
"""

import contextlib
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnn_ablation.data.originals import archive_url
from cnn_ablation.data.sources import Source
from cnn_ablation.display.notices import notify
from cnn_ablation.errors import InputError

_PROBE_SECONDS = 10


def require_network(source: Source, missing: Sequence[str]) -> None:
    """Asks the server of the missing archives for a sign of life.

    Raises:
        InputError: there is none.
    """
    if not missing:
        return
    import requests

    notify(f"{source.name}: downloading {', '.join(missing)}")
    try:
        requests.head(archive_url(source, missing[0]), timeout=_PROBE_SECONDS)
    except requests.RequestException as error:
        raise _cannot_download(source, missing, error) from error


def download(dl_manager: Any, source: Source, at_hand: Mapping[str, Path]) -> dict[str, Path]:
    """Gets a dataset's archives from the manual folder, TFDS's downloads or the network.

    Args:
        dl_manager: TFDS's DownloadManager, which checks their checksums.
        source: which dataset.
        at_hand: archives that are known to be right by other checksums, by file name.

    Returns:
        The path of each, by file name.

    Raises:
        InputError: one could not be downloaded, or is not what TFDS has registered.
    """
    names = [name for name in source.archives.names() if name not in at_hand]
    with _without_retry_warnings():
        try:
            paths = dl_manager.download({name: archive_url(source, name) for name in names})
        except Exception as error:
            raise _cannot_download(source, names, error) from error
    return {**at_hand, **{name: Path(str(path)) for name, path in paths.items()}}


@contextlib.contextmanager
def no_partial_downloads(root: Path, source: Source) -> Iterator[None]:
    """Removes what a failed download has left, as TFDS does not."""
    try:
        yield
    except BaseException:
        for folder in (root / "downloads" / source.name).glob("*.tmp.*"):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _cannot_download(source: Source, names: Sequence[str], error: Exception) -> InputError:
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:120]
    return InputError(
        f"--dataset={source.name}: could not download {', '.join(names)} from"
        f" {archive_url(source, '')} ({reason});"
        " put them into a folder and name it with --manual_dir"
    )


@contextlib.contextmanager
def _without_retry_warnings() -> Iterator[None]:
    logger = logging.getLogger("urllib3.connectionpool")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
