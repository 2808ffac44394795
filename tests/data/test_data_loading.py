"""Reading what is prepared, on archives in miniature: splits, caches and damage."""

import json
import os
import random
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import tiny_mnist
from tiny_mnist import assert_loaded, version_folder

from cnn_ablation.data import cache, describe_dataset, load_dataset, loading
from cnn_ablation.errors import InputError

pytest_plugins = ["tiny_mnist_fixtures"]


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


def test_decoded_once_then_read(
    tiny_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_loaded(load_dataset(data_dir=str(tiny_dir), progress=True))
    assert "decoding mnist 3.0.1 train" in capsys.readouterr().err

    def refuse(folder: Path | str) -> NoReturn:
        raise AssertionError("opened though the cache is there")

    monkeypatch.setattr(loading, "open_prepared", refuse)
    assert_loaded(load_dataset(data_dir=str(tiny_dir), progress=True))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("spec", "pieces"),
    [
        ("train[:10%]", [("train", 0, 6)]),
        ("train[50%:]", [("train", 30, 60)]),
        ("train[-7:]", [("train", 53, 60)]),
        ("train[10:20]+test[:5]", [("train", 10, 20), ("test", 0, 5)]),
        ("test+train", [("test", 0, 20), ("train", 0, 60)]),
        ("all", [("train", 0, 60), ("test", 0, 20)]),
    ],
)
def test_split_syntax(tiny_dir: Path, spec: str, pieces: list[tuple[str, int, int]]) -> None:
    whole = tiny_mnist.arrays()
    part = load_dataset(data_dir=str(tiny_dir), train_split=spec).train
    for index, got in enumerate((part.images_NHWC, part.labels_N)):
        expected = np.concatenate([whole[split][index][a:b] for split, a, b in pieces])
        np.testing.assert_array_equal(got, expected)
        assert got.dtype == expected.dtype


@pytest.mark.parametrize("flag", ["train_split", "test_split"])
@pytest.mark.parametrize("spec", ["trian", "train[:0]", "train[", "train[:200%]", "", "train[60:]"])
def test_split_refused(tiny_dir: Path, flag: str, spec: str) -> None:
    specs = {"train_split": "train", "test_split": "test"} | {flag: spec}
    with pytest.raises(InputError) as caught:
        load_dataset(
            data_dir=str(tiny_dir),
            train_split=specs["train_split"],
            test_split=specs["test_split"],
        )
    message = str(caught.value)
    assert message.startswith(f"--{flag}={spec}: ") and "\n" not in message
    assert "train (60 images), test (20 images)" in message


@pytest.mark.parametrize("name", ["nope", "", "mnist/3.0.1", "mnist:1.0.0", "a b", "mnist:"])
def test_dataset_refused(tiny_dir: Path, name: str) -> None:
    for call in (describe_dataset, load_dataset):
        with pytest.raises(InputError) as caught:
            call(name, data_dir=str(tiny_dir))
        message = str(caught.value)
        assert message.startswith(f"--dataset={name}: must be mnist, fashion_mnist, kmnist, or")
        assert "(there: mnist)" in message and "\n" not in message


def test_described_without_touching_data(tmp_path: Path) -> None:
    for name in ("mnist", "fashion_mnist", "kmnist", "mnist:3.0.1"):
        assert describe_dataset(name, str(tmp_path / "nowhere")) == ((28, 28, 1), 10)
    assert not (tmp_path / "nowhere").exists()


def test_fingerprint_is_of_content_and_order(tiny_dir: Path) -> None:
    def fingerprint(train_split: str = "train") -> str:
        return load_dataset(data_dir=str(tiny_dir), train_split=train_split).fingerprint

    whole = fingerprint()
    assert len(whole) == 16 and whole == fingerprint()
    others = {fingerprint(spec) for spec in ("test", "train[:50]", "train[30:]+train[:30]")}
    assert len(others | {whole}) == 4
    assert fingerprint("train[:30]+train[30:]") == whole


def test_damaged_record_file_is_named(tiny_dir: Path) -> None:
    records = next(version_folder(tiny_dir).glob("*train.array_record*"))
    whole = records.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", whole[:200] + b"\xff" + whole[201:]):
        records.write_bytes(damaged)
        with pytest.raises(InputError, match=rf"{records.name}: damaged .*delete .*3\.0\.1"):
            load_dataset(data_dir=str(tiny_dir))
    records.unlink()
    with pytest.raises(InputError, match=rf"{records.name}: damaged .*missing"):
        load_dataset(data_dir=str(tiny_dir))


def test_record_file_damaged_after_it_was_decoded(
    tiny_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load_dataset(data_dir=str(tiny_dir))
    _flip(next(version_folder(tiny_dir).glob("*train.array_record*")))
    with pytest.raises(InputError, match="damaged"):
        load_dataset(data_dir=str(tiny_dir))
    assert "has changed since" in capsys.readouterr().err


def test_copied_folder_keeps_its_cache(tiny_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_dataset(data_dir=str(tiny_dir))
    for path in version_folder(tiny_dir).iterdir():
        os.utime(path, (1, 1))
    monkeypatch.setattr(loading, "open_prepared", None)
    assert_loaded(load_dataset(data_dir=str(tiny_dir)))


def test_prepared_anew_from_other_images(
    tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The old cache in a folder whose record files are others'."""
    load_dataset(data_dir=str(tiny_dir))
    tiny_mnist.embed(tiny_mnist.write(tmp_path / "others", seed=9))
    assert_loaded(load_dataset(data_dir=str(tmp_path / "other")), seed=9)
    for path in version_folder(tmp_path / "other").glob("*array_record*"):
        shutil.copy(path, version_folder(tiny_dir) / path.name)
    assert_loaded(load_dataset(data_dir=str(tiny_dir)), seed=9)
    assert capsys.readouterr().err.count("has changed since") == 2


def _damages(content: bytes) -> Iterator[bytes]:
    """Cuts, and flipped bits: all of each array's header length, some of the rest."""
    yield from (content[:0], content[: len(content) // 2], content[:-1], content[1:])
    rng = random.Random(0)
    flips = [(position, rng.randrange(8)) for position in rng.sample(range(len(content)), 200)]
    for header in re.finditer(rb"\x93NUMPY", content):
        flips += [(header.start() + 8, bit) for bit in range(8)]
    for position, bit in flips:
        damaged = bytearray(content)
        damaged[position] ^= 1 << bit
        yield bytes(damaged)


def test_damaged_cache_is_never_used(tiny_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = version_folder(tiny_dir)
    load_dataset(data_dir=str(tiny_dir))
    path = cache.cache_path(folder, "test")
    whole, noticed = path.read_bytes(), 0
    expected = tiny_mnist.arrays()["test"]
    for damaged in _damages(whole):
        path.write_bytes(damaged)
        images = cache.load_cache(folder, "test")
        if images is None:
            noticed += 1
            assert f"{path}: not used (" in capsys.readouterr().err
        else:
            # A flipped bit that the zip format gives no meaning to, such as a date.
            np.testing.assert_array_equal(images.images_NHWC, expected[0])
            np.testing.assert_array_equal(images.labels_N, expected[1])
    assert noticed > 200
    path.write_bytes(whole[:-1])
    assert_loaded(load_dataset(data_dir=str(tiny_dir)))
    assert path.read_bytes() == whole


def test_unfinished_folder_is_named(tiny_dir: Path) -> None:
    (version_folder(tiny_dir) / "features.json").unlink()
    with pytest.raises(
        InputError, match=r"mnist/3\.0\.1: not a whole dataset of TFDS.*delete it and"
    ):
        load_dataset(data_dir=str(tiny_dir))


def test_number_of_records_is_checked(tiny_dir: Path) -> None:
    path = version_folder(tiny_dir) / "dataset_info.json"
    info = json.loads(path.read_text())
    info["splits"][0]["shardLengths"] = ["59" if info["splits"][0]["name"] == "train" else "19"]
    path.write_text(json.dumps(info))
    with pytest.raises(InputError, match=r"damaged \(\d+ records, dataset_info.json has \d+\)"):
        load_dataset(data_dir=str(tiny_dir))


def test_cache_that_cannot_be_written(
    tiny_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(np, "savez", refuse)
    assert_loaded(load_dataset(data_dir=str(tiny_dir)))
    notices = capsys.readouterr().err.splitlines()
    assert len(notices) == 1
    assert "cannot be written (Read-only file system)" in notices[0]
    assert not list(version_folder(tiny_dir).glob("*.npz*")) + list(
        version_folder(tiny_dir).glob(".*npz*")
    )


def test_another_splits_cache_is_not_used(
    tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = version_folder(tiny_dir)
    load_dataset(data_dir=str(tiny_dir))
    capsys.readouterr()
    shutil.copy(cache.cache_path(folder, "train"), cache.cache_path(folder, "test"))
    assert_loaded(load_dataset(data_dir=str(tiny_dir)))
    assert "test.npz: not used (it is of the split train, not of test)" in capsys.readouterr().err
    for other, says in (("mnist/3.0.2", "version 3.0.1"), ("other/3.0.1", "dataset mnist")):
        shutil.copytree(folder, tmp_path / "copied" / other)
        assert cache.load_cache(tmp_path / "copied" / other, "test") is None
        assert f"not used (it is of the {says}, not of " in capsys.readouterr().err


def test_a_caches_sizes_are_compared_before_memory_is_asked_for(
    tiny_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = version_folder(tiny_dir)
    load_dataset(data_dir=str(tiny_dir))
    path = cache.cache_path(folder, "test")
    content = path.read_bytes()
    larger = content.replace(b"(20, 28, 28, 1), }         ", b"(20000000000, 28, 28, 1), }")
    assert larger != content and len(larger) == len(content)
    path.write_bytes(larger)
    monkeypatch.setattr(np, "load", None)
    assert cache.load_cache(folder, "test") is None
    said = capsys.readouterr().err
    assert "images.npy has no room for (20000000000, 28, 28, 1) of uint8" in said
    np.savez_compressed(path, images=np.zeros(10**6, np.uint8))
    assert cache.load_cache(folder, "test") is None
    assert "images.npy is larger than the file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lengths", "dimensions", "says"),
    [
        (["99999999999999"], None, "too small for 99999999999999 records"),
        (["-5"], None, " has -5 examples"),
        (None, ["2800000", "2800000", "1"], "an image of 28 x 28 pixels, must be 2800000 x"),
        (None, ["-1", "28", "1"], "must all be of one size"),
    ],
)
def test_sizes_in_metadata_are_compared_before_memory_is_asked_for(
    tiny_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    lengths: list[str] | None,
    dimensions: list[str] | None,
    says: str,
) -> None:
    folder = version_folder(tiny_dir)
    for name, key, value in (
        ("dataset_info.json", "shardLengths", lengths),
        ("features.json", "dimensions", dimensions),
    ):
        text = (folder / name).read_text()
        if value is not None:
            text = re.sub(rf'"{key}": \[[^\]]*\]', f'"{key}": {json.dumps(value)}', text)
            (folder / name).write_text(text)
    monkeypatch.setattr(np, "empty", None)
    with pytest.raises(InputError, match=re.escape(says)) as why:
        load_dataset(data_dir=str(tiny_dir))
    assert str(why.value).isprintable()


@pytest.mark.parametrize("key", ["pythonClassName", "python_class_name", "type"])
@pytest.mark.parametrize(
    "name", ["evil.Image", "tensorflow_datasets.core.features.x.y", "os.system", "evil", 5, None]
)
@pytest.mark.parametrize("nested", [False, True])
def test_a_class_that_is_not_tfds_own_is_not_imported(
    tiny_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    name: object,
    nested: bool,
) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    path = version_folder(tiny_dir) / "features.json"
    document = json.loads(path.read_text())
    inner = document["featuresDict"]["features"]["image"] if nested else document
    inner.pop("pythonClassName")
    inner[key] = name
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"features\.json: names the class .*allowed are TFDS"):
        load_dataset(data_dir=str(tiny_dir))
    shutil.copytree(tiny_dir / "mnist", tiny_dir / "of_others")
    with pytest.raises(InputError, match=r"features\.json: names the class .*allowed are TFDS"):
        load_dataset("of_others", data_dir=str(tiny_dir))
    assert "evil" not in sys.modules
