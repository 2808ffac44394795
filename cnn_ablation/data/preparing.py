"""From original archives to a TFDS folder: MNIST from the embedded ones, without a network."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnn_ablation.data import sources
from cnn_ablation.data.dataset import LabeledImages
from cnn_ablation.data.downloading import no_partial_downloads, require_network
from cnn_ablation.data.originals import compressed_anew, missing_archives, verify_archives
from cnn_ablation.data.sources import Source
from cnn_ablation.display.notices import progress_bar
from cnn_ablation.errors import InputError
from cnn_ablation.system.files import unwritable


def make_folder(folder: Path, root: Path) -> None:
    """Makes a dataset's folder in the data_dir.

    Raises:
        InputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(root, error) from error


def remove_abandoned(folder: Path) -> None:
    """Removes what killed preparations have left in a dataset's folder, which must be locked."""
    from cnn_ablation.data.builders import AT_WORK

    for mark in folder.glob(f"incomplete.*/{AT_WORK}"):
        shutil.rmtree(mark.parent, ignore_errors=True)


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
    archives = manual_dir or (sources.EMBEDDED_ARCHIVES if source.name == "mnist" else None)
    if archives is not None:
        verify_archives(source, archives)
    require_network(source, missing_archives(source, root, archives))
    folder = root / source.name
    try:
        with no_partial_downloads(root, source):
            return _download_and_prepare(source, root, archives, progress=progress)
    except OSError as error:
        if (folder / source.version).exists():
            return {}
        raise _unwritable(root, error) from error
    except (InputError, ImportError, AttributeError, MemoryError):
        raise
    except Exception as error:  # TFDS and what writes its files have each their own.
        raise _not_prepared(source, root, error) from error


def _download_and_prepare(
    source: Source, root: Path, archives: Path | None, *, progress: bool
) -> dict[str, LabeledImages]:
    import tensorflow_datasets as tfds

    from cnn_ablation.data.builders import AT_WORK, BUILDERS

    builder: Any = BUILDERS[source.name](data_dir=str(root), file_format="array_record")
    builder.at_hand = compressed_anew(source, archives)
    config = tfds.download.DownloadConfig(
        manual_dir=None if archives is None else str(archives), force_checksums_validation=True
    )
    text = f"preparing {source.name} {source.version} in {root}"
    with (
        _tfds_progress_hidden(),
        progress_bar(text, source.num_examples, enabled=progress) as builder.advance,
    ):
        builder.download_and_prepare(download_config=config)
    (root / source.name / source.version / AT_WORK).unlink(missing_ok=True)
    return builder.arrays


def _unwritable(root: Path, error: OSError) -> InputError:
    reason = error.strerror or str(error)
    return InputError(f"--data_dir={root}: cannot be written ({reason}); name another folder")


def _not_prepared(source: Source, root: Path, error: Exception) -> InputError:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if os.strerror(errno.ENOSPC) in str(error):
        return unwritable(root, full)
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return InputError(f"--data_dir={root}: {source.name} cannot be prepared there ({reason})")


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
