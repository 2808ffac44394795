"""From original archives to a TFDS folder: MNIST from the embedded ones, without a network."""

import contextlib
import hashlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnn_ablation.data.dataset import LabeledImages
from cnn_ablation.data.progress import notify, progress_bar
from cnn_ablation.data.sources import EMBEDDED_ARCHIVES, SOURCES, Source
from cnn_ablation.errors import FieldError, InputError

_ABANDONED_SECONDS = 3600


def prepare(
    source: Source, root: Path, manual_dir: Path | None, *, progress: bool
) -> dict[str, LabeledImages]:
    """Prepares a dataset as TFDS's `name/version` folder, in one rename at the end.

    Args:
        source: which dataset.
        root: TFDS's data_dir.
        manual_dir: folder with the original archives; those that it lacks are downloaded. None
            takes the embedded ones for MNIST and downloads the others.
        progress: whether to show a progress bar.

    Returns:
        The splits as they were prepared, or nothing where another process was faster.

    Raises:
        InputError: an archive is damaged or cannot be had, or the folder cannot be written.
    """
    from cnn_ablation.data.builders import BUILDERS

    archives = manual_dir or (EMBEDDED_ARCHIVES if source.name == "mnist" else None)
    _announce_download(source, archives)
    if archives is not None and manual_dir is None:
        verify_archives(source, archives)
    try:
        _remove_abandoned(root / source.name, source.version)
        builder = BUILDERS[source.name](data_dir=str(root), file_format="array_record")
        _download_and_prepare(builder, source, archives, progress=progress)
    except OSError as error:
        if (root / source.name / source.version).exists():
            return {}
        raise _unwritable(root, error) from error
    return builder.arrays


def make_folder(folder: Path, root: Path) -> None:
    """Makes a dataset's folder in the data_dir.

    Raises:
        FieldError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(root, error) from error


def verify_archives(source: Source, folder: Path) -> None:
    """Compares the archives in a folder with the checksums that TFDS registers.

    Raises:
        InputError: one differs, or the folder holds none of them.
    """
    present = [folder / name for name in source.archives.names() if (folder / name).is_file()]
    if not present:
        names = ", ".join(source.archives.names())
        raise FieldError("manual_dir", folder, f"holds none of {source.name}'s archives: {names}")
    registered = _registered_sha256()
    for path in present:
        found = _sha256(path)
        if found != registered[source.name, path.name]:
            owners = [name for (name, _), known in registered.items() if known == found]
            what = f"is {owners[0]}'s archive" if owners else "is damaged or another file"
            raise InputError(
                f"{path}: {what}: its SHA-256 is {found}, {source.name}'s is"
                f" {registered[source.name, path.name]}"
            )


def _download_and_prepare(
    builder: Any, source: Source, archives: Path | None, *, progress: bool
) -> None:
    import tensorflow_datasets as tfds

    config = tfds.download.DownloadConfig(
        manual_dir=None if archives is None else str(archives), force_checksums_validation=True
    )
    text = f"Preparing {source.name} {source.version}"
    with (
        _tfds_progress_hidden(),
        progress_bar(text, source.num_examples, enabled=progress) as builder.advance,
    ):
        builder.download_and_prepare(download_config=config)


def _registered_sha256() -> dict[tuple[str, str], str]:
    """SHA-256 by (dataset, file name), as TFDS has registered them."""
    from tensorflow_datasets.core.download import checksums

    from cnn_ablation.data.builders import BUILDERS

    infos = checksums.get_all_url_infos()
    return {
        (name, file): infos[BUILDERS[name].URL + file].checksum
        for name, source in SOURCES.items()
        for file in source.archives.names()
    }


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _announce_download(source: Source, archives: Path | None) -> None:
    missing = [
        name
        for name in source.archives.names()
        if archives is None or not (archives / name).exists()
    ]
    if missing:
        notify(f"{source.name}: downloading {', '.join(missing)} (unless TFDS already has)")


def _remove_abandoned(folder: Path, version: str) -> None:
    """Removes what a killed preparation left; one that still runs has written lately."""
    for path in folder.glob(f"incomplete.*_{version}"):
        with contextlib.suppress(OSError):
            latest = max(item.stat().st_mtime for item in (path, *path.iterdir()))
            if time.time() - latest > _ABANDONED_SECONDS:
                shutil.rmtree(path)


def _unwritable(root: Path, error: OSError) -> InputError:
    reason = error.strerror or str(error)
    return FieldError("data_dir", root, f"cannot be written ({reason}); name another folder")


@contextlib.contextmanager
def _tfds_progress_hidden() -> Iterator[None]:
    """Hides TFDS's own bars, of which it draws four, behind the one drawn here."""
    from tensorflow_datasets.core.utils import tqdm_utils

    shown = getattr(tqdm_utils, "_active", True)
    tqdm_utils.display_progress_bar(False)
    try:
        yield
    finally:
        tqdm_utils.display_progress_bar(shown)
