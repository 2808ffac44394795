"""A dataset's name to its arrays: cached, decoded, or prepared first, whichever is enough."""

import functools
from pathlib import Path

from cnn_ablation.data import own_files, splits
from cnn_ablation.data.cache import load_cache, save_cache
from cnn_ablation.data.dataset import Dataset, LabeledImages
from cnn_ablation.data.holding_out import held_out
from cnn_ablation.data.location import DataLocation
from cnn_ablation.data.prepared import Prepared, find_prepared, open_prepared
from cnn_ablation.data.registered import choose_splits, make_registered
from cnn_ablation.data.resizing import resized
from cnn_ablation.data.sources import SOURCES, Source, local_path, resolve_data_dir
from cnn_ablation.design import DataSpec
from cnn_ablation.errors import InputError
from cnn_ablation.system.locks import folder_lock

_NAMES = "label.labels.txt"
_WAITING = "waiting for another process that prepares it"


def describe_dataset(name: str, data_dir: str | None = None) -> tuple[tuple[int, int, int], int]:
    """What the images of a name are; arguments and errors are those of `load_dataset`."""
    return describe_data(DataSpec(name), DataLocation(data_dir))


def describe_data(
    data: DataSpec, location: DataLocation | None = None
) -> tuple[tuple[int, int, int], int]:
    """What a dataset's images are, without reading or preparing any of TFDS's.

    Args:
        data: which dataset, and what its images are resized to.
        location: where datasets lie.

    Returns:
        (height, width, channels) of every image, and the number of classes.

    Raises:
        InputError: there is no such dataset, or it does not hold labelled images of one size.
    """
    (height, width, channels), classes = _describe(data, location or DataLocation())
    height, width = data.image_size or (height, width)
    return (height, width, channels), classes


def _describe(data: DataSpec, location: DataLocation) -> tuple[tuple[int, int, int], int]:
    name, data_dir = data.dataset, location.data_dir
    own = own_files.find(name, location.folder)
    registered = own_files.read(own, data.image_size) if own else make_registered(name)
    if registered is not None:
        return registered.image_shape, registered.num_classes
    source = _find_source(name)
    if source is not None:
        return source.image_shape, source.num_classes
    prepared = find_prepared(name, resolve_data_dir(data_dir))
    return prepared.image_shape, prepared.num_classes


def load_dataset(
    name: str = "mnist",
    *,
    train_split: str = "train",
    test_split: str = "test",
    image_size: int | tuple[int, ...] = (),
    data_dir: str | None = None,
    manual_dir: str | None = None,
    progress: bool = False,
) -> Dataset:
    """Loads training and test images; the first time on a machine, prepares them with TFDS.

    Args:
        name: a registered name, a path of a folder or of an npz file, or a TFDS name: mnist (which
            needs no network), fashion_mnist, kmnist, or one that is prepared in `data_dir`.
        train_split: what to train on, in TFDS split syntax.
        test_split: what to test on, in TFDS split syntax.
        image_size: side, or height and width, that images are resized to; () leaves them.
        data_dir: TFDS's data_dir; None is TFDS's own default.
        manual_dir: folder with the original archives of one of the first three.
        progress: whether to show what takes seconds: a bar on a terminal, else a line.

    Raises:
        InputError: there is no such dataset or split, an archive or record file is damaged or
            cannot be had, or the folder cannot be written.
    """
    data = DataSpec(name, train_split, test_split, image_size=image_size)  # type: ignore[arg-type]
    return load_data(data, DataLocation(data_dir, manual_dir), progress=progress)


def load_data(
    data: DataSpec, location: DataLocation | None = None, *, progress: bool = False
) -> Dataset:
    """Loads what a spec names; what a spec says of training alone is left to the training.

    Args:
        data: which images.
        location: where datasets lie.
        progress: whether to show what takes seconds.

    Raises:
        InputError: as `load_dataset`.
    """
    loaded = _load(data, location or DataLocation(), progress=progress)
    return held_out(resized(loaded, data.image_size), data.validation)


def _load(data: DataSpec, location: DataLocation, *, progress: bool) -> Dataset:
    name, train_split, test_split = data.dataset, data.train_split, data.test_split
    root = resolve_data_dir(location.data_dir)
    source = _find_source(name)
    archives = _archive_folder(source, name, location.manual_dir)
    own = own_files.find(name, location.folder)
    registered = own_files.read(own, data.image_size) if own else make_registered(name)
    if registered is not None:
        return choose_splits(registered, train_split, test_split)
    if source is not None:
        loader = _Loader(root / source.name / source.version, progress=progress)
        loader.prepare_if_missing(source, root, archives)
        name, version, num_classes = source.name, source.version, source.num_classes
    else:
        prepared = find_prepared(name, root)
        loader = _Loader(prepared.folder, progress=progress)
        name, version, num_classes = prepared.name, prepared.version, prepared.num_classes
    return Dataset(
        name=name,
        version=version,
        train_split=train_split,
        test_split=test_split,
        num_classes=num_classes,
        train=loader.read(train_split, flag="train_split"),
        test=loader.read(test_split, flag="test_split"),
        class_names=source.class_names if source else _names_in(loader.folder, num_classes),
    )


def _names_in(folder: Path, num_classes: int) -> tuple[str, ...]:
    """The names that TFDS keeps beside a dataset's records, where it has any."""
    try:
        names = tuple((folder / _NAMES).read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        return ()
    return names if len(names) == num_classes else ()


class _Loader:
    """Reads the splits of one prepared folder, each from the cheapest place that has it."""

    def __init__(self, folder: Path, *, progress: bool) -> None:
        self.folder, self.progress = folder, progress
        self._at_hand: dict[str, LabeledImages | None] = {}
        self._can_save = True

    def prepare_if_missing(self, source: Source, root: Path, archives: Path | None) -> None:
        """Prepares the folder from archives where it is not there."""
        if self.folder.exists():
            return
        from cnn_ablation.data.preparing import make_folder, prepare, remove_abandoned

        make_folder(self.folder.parent, root)
        with folder_lock(self.folder.parent, notice=_WAITING) as lock:
            if lock.held:
                remove_abandoned(self.folder.parent)
            if self.folder.exists():
                return
            for split, images in prepare(source, root, archives, progress=self.progress).items():
                self._at_hand[split] = images
                self._save(split, images)

    def read(self, spec: str, *, flag: str) -> LabeledImages:
        """Reads what a spec in TFDS split syntax selects."""
        if splits.is_plain(spec) and (images := self._find(spec)) is not None:
            return images
        ranges = splits.resolve(spec, self._prepared.split_infos, flag=flag)
        return splits.select(ranges, self._read_whole)

    @functools.cached_property
    def _prepared(self) -> Prepared:
        return open_prepared(self.folder)

    def _read_whole(self, split: str) -> LabeledImages:
        images = self._find(split)
        if images is None:
            images = self._at_hand[split] = self._decode(split)
        return images

    def _find(self, split: str) -> LabeledImages | None:
        if split not in self._at_hand:
            self._at_hand[split] = load_cache(self.folder, split)
        return self._at_hand[split]

    def _decode(self, split: str) -> LabeledImages:
        from cnn_ablation.data.decoding import decode_split

        with folder_lock(self.folder.parent, notice=_WAITING) as lock:
            images = load_cache(self.folder, split) if lock.waited else None
            if images is None:
                images = decode_split(self._prepared, split, progress=self.progress)
                self._save(split, images)
        return images

    def _save(self, split: str, images: LabeledImages) -> None:
        records = [shard.path for shard in self._prepared.splits[split]]
        self._can_save = self._can_save and save_cache(self.folder, split, records, images)


def _find_source(name: str) -> Source | None:
    for source in SOURCES.values():
        if name in (source.name, f"{source.name}:{source.version}"):
            return source
    return None


def _archive_folder(source: Source | None, name: str, manual_dir: str | None) -> Path | None:
    """The user's archives, checked even where the prepared data will do without them."""
    if not manual_dir:
        return None
    folder = local_path("manual_dir", manual_dir)
    if not folder.is_dir():
        raise InputError(f"--manual_dir={manual_dir}: must be a folder that exists")
    if source is None:
        raise InputError(f"--manual_dir={manual_dir}: serves {', '.join(SOURCES)} only, not {name}")
    from cnn_ablation.data.originals import verify_archives

    verify_archives(source, folder)
    return folder
