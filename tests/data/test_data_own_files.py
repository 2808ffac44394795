"""Folders of images and npz files that a path names: what is read, and what is refused."""

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnn_ablation.data import DataLocation, Dataset, load_data, load_dataset
from cnn_ablation.design import DataSpec
from cnn_ablation.errors import InputError

Arrays = dict[str, Any]


def grey(seed: int, size: tuple[int, int] = (6, 8)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


def fill(folder: Path, count: int = 10, classes: tuple[str, ...] = ("cats", "dogs")) -> Path:
    """A folder of grey PNG files; the images of two classes differ."""
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            Image.fromarray(grey(100 * number + index)).save(folder / name / f"{index}.png")
    return folder


def arrays(**changes: Any) -> Arrays:
    """The four arrays of an npz file in Keras's form, three classes."""
    rng = np.random.default_rng(0)
    made = {
        "x_train": rng.integers(0, 256, (30, 6, 8), np.uint8),
        "y_train": np.arange(30) % 3,
        "x_test": rng.integers(0, 256, (9, 6, 8), np.uint8),
        "y_test": np.arange(9) % 3,
    }
    return made | changes


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return fill(tmp_path / "photos")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    np.savez(tmp_path / "three.npz", **arrays())
    return tmp_path / "three.npz"


def found(dataset: Dataset) -> set[bytes]:
    parts = (dataset.train, dataset.test)
    return {image.tobytes() for part in parts for image in part.images_NHWC}


def test_one_folder_is_divided_by_class_the_same_way_every_time(photos: Path) -> None:
    dataset = load_dataset(str(photos))
    assert (dataset.name, dataset.num_classes, dataset.image_shape) == ("photos", 2, (6, 8, 1))
    assert np.bincount(dataset.train.labels_N).tolist() == [8, 8]
    assert np.bincount(dataset.test.labels_N).tolist() == [2, 2]
    assert found(dataset) == {grey(100 * c + i).tobytes() for c in (0, 1) for i in range(10)}
    labels = dict(zip(map(bytes, dataset.train.images_NHWC), dataset.train.labels_N, strict=True))
    for image, label in labels.items():
        assert image in {grey(100 * label + i).tobytes() for i in range(10)}
    copy = shutil.copytree(photos, photos.parent / "elsewhere" / "photos")
    assert load_dataset(str(copy)).version == dataset.version
    Image.fromarray(grey(7777)).save(photos / "cats" / "new.png")
    grown = load_dataset(str(photos))
    assert grown.version != dataset.version, "it is read again, and is another dataset"
    # One more image makes one more for tests at most: no other image changes sides.
    before, after = ({bytes(x) for x in d.test.images_NHWC} for d in (dataset, grown))
    assert len(before ^ after) <= 1


def test_a_part_of_a_split_holds_every_class(photos: Path) -> None:
    half = load_dataset(str(photos), train_split="train[:50%]")
    assert len(half.train.labels_N) == 8
    assert set(half.train.labels_N.tolist()) == {0, 1}


def test_train_and_test_are_the_splits_where_there_are_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path / "train", 5)
    fill(tmp_path / "test", 2)
    fill(tmp_path / "val", 2)
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "train" / "cats" / ".hidden").touch()
    (tmp_path / "README.txt").touch()
    dataset = load_dataset(str(tmp_path))
    assert (len(dataset.train.labels_N), len(dataset.test.labels_N)) == (10, 4)
    assert f"{tmp_path / 'val'}: not used" in capsys.readouterr().err


def test_grey_and_colour_become_colour_and_a_jpeg_is_turned(photos: Path) -> None:
    red = np.zeros((6, 8, 3), np.uint8)
    red[..., 0] = 200
    Image.fromarray(red).save(photos / "dogs" / "red.png")
    turned = Image.fromarray(np.full((8, 6), 90, np.uint8))
    exif = turned.getexif()
    exif[0x0112] = 6  # Turned by a quarter: shown, it is 6 high and 8 wide.
    turned.save(photos / "dogs" / "turned.JPEG", "JPEG", exif=exif)
    dataset = load_dataset(str(photos))
    assert dataset.image_shape == (6, 8, 3)
    assert red.tobytes() in found(dataset)
    assert np.repeat(grey(0)[..., None], 3, axis=-1).tobytes() in found(dataset)


def test_images_of_several_sizes_are_resized_when_asked(photos: Path) -> None:
    Image.fromarray(np.full((30, 20), 77, np.uint8)).save(photos / "cats" / "large.png")
    dataset = load_dataset(str(photos), image_size=(5, 4))
    assert dataset.image_shape == (5, 4, 1)
    assert np.full((5, 4), 77, np.uint8).tobytes() in found(dataset)
    assert load_dataset(str(photos), image_size=9).image_shape == (9, 9, 1)


def test_an_npz_file_is_read_as_keras_writes_it(archive: Path, tmp_path: Path) -> None:
    dataset = load_dataset(str(archive))
    assert (dataset.name, dataset.num_classes, dataset.image_shape) == ("three", 3, (6, 8, 1))
    np.testing.assert_array_equal(dataset.train.images_NHWC[..., 0], arrays()["x_train"])
    np.testing.assert_array_equal(dataset.test.labels_N, arrays()["y_test"])
    # CIFAR-10 in Keras has labels in a column, and colours.
    colour = {f"x_{s}": np.repeat(arrays()[f"x_{s}"][..., None], 3, -1) for s in ("train", "test")}
    column = {f"y_{s}": arrays()[f"y_{s}"][:, None] for s in ("train", "test")}
    both: Arrays = colour | column
    np.savez_compressed(tmp_path / "cifar.npz", **both)
    cifar = load_dataset(str(tmp_path / "cifar.npz"), image_size=4)
    assert cifar.image_shape == (4, 4, 3)
    assert cifar.version != dataset.version


def test_a_relative_path_begins_where_the_study_was_started(
    archive: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("three.npz", "./photos", "photos/../photos"):
        expected = load_data(DataSpec(name))
        monkeypatch.chdir("/")
        location = pickle.loads(pickle.dumps(DataLocation(folder=str(tmp_path))))
        assert load_data(DataSpec(name), location).fingerprint == expected.fingerprint
        monkeypatch.chdir(tmp_path)


def test_paths_have_a_short_name() -> None:
    titles = {name: DataSpec(name).title for name in ("mnist", "./a/photos", "/x/d.npz", "~/p")}
    assert list(titles.values()) == ["mnist", "photos", "d", "p"]


def test_what_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").touch()
    for name, why in (
        ("./nothing", "is not there; must be a folder with a folder of images for each class, or"),
        ("nothing.npz", "is not there"),
        ("./notes.txt", "is neither a folder nor a file in .npz"),
    ):
        with pytest.raises(InputError, match=rf"^--dataset={name}: {why}"):
            load_dataset(name)
    fill(tmp_path / "photos")
    with pytest.raises(InputError, match=r"--dataset=photos: .*\(your folder here is \./photos\)$"):
        load_dataset("photos", data_dir=str(tmp_path / "none"))


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink() if path.is_file() else shutil.rmtree(path)


def _into_two(folder: Path, classes_of_tests: tuple[str, ...]) -> None:
    _remove(folder)
    fill(folder / "train")
    fill(folder / "test", 2, classes_of_tests)


def _bytes(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


FOLDERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no_classes": (
        lambda f: _remove(f / "cats", f / "dogs"),
        r"photos: holds no folder; must hold a folder of images for each class",
    ),
    "one_class": (lambda f: shutil.rmtree(f / "dogs"), r"photos: holds one class, cats; must"),
    "empty_class": (lambda f: (f / "birds").mkdir(), r"photos/birds: holds no image"),
    "single": (
        lambda f: _remove(*(f / "dogs" / f"{i}.png" for i in range(9))),
        r"photos/dogs: holds 1 image; must hold 2 or more",
    ),
    "sizes": (
        lambda f: Image.fromarray(grey(1, (7, 8))).save(f / "cats" / "3.png"),
        r"(photos/cats/3\.png: is 8x7 pixels|photos/.*is 8x7; all must be .* by --image_size)",
    ),
    "cut_off": (
        lambda f: _bytes(f / "cats" / "3.png", lambda b: b[: len(b) // 2]),
        r"photos/cats/3\.png: is damaged or cannot be read",
    ),
    "no_image": (
        lambda f: (f / "cats" / "3.png").write_text("nothing"),
        r"photos/cats/3\.png: is damaged, or neither PNG nor JPEG",
    ),
    "empty_file": (
        lambda f: (f / "cats" / "3.png").write_bytes(b""),
        r"photos/cats/3\.png: is damaged, or neither",
    ),
    "flipped_bit": (
        lambda f: _bytes(f / "cats" / "3.png", lambda b: b[:50] + bytes([b[50] ^ 1]) + b[51:]),
        r"photos/cats/3\.png: is damaged",
    ),
    "another_kind": (
        lambda f: Image.fromarray(grey(0)).save(f / "cats" / "3.bmp"),
        r"photos/cats/3\.bmp: must be an image in \.png, \.jpg, \.jpeg",
    ),
    "disguised": (
        lambda f: Image.fromarray(grey(0)).save(f / "cats" / "3.png", "BMP"),
        r"photos/cats/3\.png: is damaged, or neither PNG nor JPEG",
    ),
    "nested": (
        lambda f: (f / "cats" / "more").mkdir(),
        r"photos/cats/more: is a folder inside a class",
    ),
    "sixteen_bits": (
        lambda f: Image.fromarray(grey(0).astype(np.uint16) * 9).save(f / "cats" / "3.png"),
        r"photos/cats/3\.png: has pixels of the form I;16; must have 8 bits",
    ),
    "train_alone": (
        lambda f: (f / "cats").rename(f / "train"),
        r"photos: has train/ but no test/; must have both, or neither",
    ),
    "class_of_tests": (
        lambda f: _into_two(f, ("cats", "birds")),
        r"photos: class dogs is in train/ and not in test/",
    ),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_what_is_wrong_in_a_folder_is_named(photos: Path, case: str) -> None:
    load_dataset(str(photos))
    spoil, message = FOLDERS[case]
    spoil(photos)
    with pytest.raises(InputError, match=message) as refusal:
        load_dataset(str(photos))
    assert "\n" not in str(refusal.value)


ARCHIVES: dict[str, tuple[Arrays, str]] = {
    "objects": (
        {"x_train": np.array([None] * 30, object)},
        "x_train holds Python objects; must be an array of whole numbers",
    ),
    "lengths": ({"y_train": np.zeros(29, int)}, "x_train holds 30 images and y_train 29 labels"),
    "fractions": ({"x_test": np.zeros((9, 6, 8))}, "x_test is float64; must be uint8"),
    "nan": ({"x_train": np.full((30, 6, 8), np.nan)}, r"x_train holds NaN \(not a number\); must"),
    "texts": ({"y_train": np.array(["a"] * 30)}, "y_train is <U1; must be whole numbers"),
    "flat": ({"x_train": np.zeros((30, 48), np.uint8)}, r"x_train has the shape \(30, 48\); must"),
    "bright": ({"x_train": np.full((30, 6, 8), 256)}, "x_train holds 256 to 256; pixels must lie"),
    "dark": ({"x_train": np.full((30, 6, 8), -1)}, "x_train holds -1 to -1; pixels must lie"),
    "empty": ({"x_test": np.zeros((0, 6, 8), np.uint8)}, r"x_test has the shape \(0, 6, 8\);"),
    "no_labels": ({"y_test": np.zeros(0, int)}, r"y_test has the shape \(0,\);"),
    "one_hot": ({"y_test": np.eye(9, dtype=int)}, r"y_test has the shape \(9, 9\); must be whole"),
    "negative": ({"y_train": np.arange(30) - 1}, "y_train holds the label -1; labels must be 0 or"),
    "one_class": ({"y_train": np.ones(30, int)}, "y_train holds one class, 1; must be two or more"),
    "range": ({"y_test": np.arange(9)}, "y_test holds the label 8; must be 0 to 2, the classes of"),
    "sizes": (
        {"x_test": np.zeros((9, 8, 6), np.uint8)},
        r"x_test holds images of the shape \(8, 6",
    ),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_what_is_wrong_in_an_npz_file_is_named(tmp_path: Path, case: str) -> None:
    changes, message = ARCHIVES[case]
    np.savez(tmp_path / "mine.npz", **arrays(**changes))
    with pytest.raises(InputError, match=rf"mine\.npz: {message}") as refusal:
        load_dataset(str(tmp_path / "mine.npz"))
    assert "\n" not in str(refusal.value)


class _Trap:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("sprung"),))


def test_a_damaged_or_foreign_file_is_named_and_nothing_in_it_is_run(
    tmp_path: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.npz"
    missing = {name: array for name, array in arrays().items() if name != "y_test"}
    whole = archive.read_bytes()
    makers: list[tuple[Callable[[], Any], str]] = [
        (lambda: np.savez(path, **missing), r"lacks y_test; must hold x_train, .*; it holds x_tr"),
        (lambda: path.write_bytes(b""), "cannot be read as an npz file"),
        (lambda: path.write_bytes(b"hello"), "cannot be read as an npz file"),
        (lambda: path.write_bytes(whole[: len(whole) // 2]), "cannot be read as an npz file"),
        (lambda: path.write_bytes(whole[:300] + b"?" + whole[301:]), "cannot be read as an npz"),
        (lambda: path.write_bytes(pickle.dumps(_Trap())), "cannot be read as an npz file"),
        (lambda: np.savez(path, **arrays(x_train=np.array([_Trap()] * 30))), "holds Python obj"),
        (lambda: np.save(path.open("wb"), np.zeros(3)), "holds one array; must be an npz file"),
    ]
    for make, message in makers:
        make()
        with pytest.raises(InputError, match=message):
            load_dataset(str(path))
    assert not (tmp_path / "sprung").exists()
