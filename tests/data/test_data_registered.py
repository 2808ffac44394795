"""Datasets that a user's file registers by name."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnn_ablation.data import (
    DataLocation,
    Dataset,
    LabeledImages,
    describe_dataset,
    load_data,
    load_dataset,
    register_dataset,
    registered,
)
from cnn_ablation.design import DataSpec
from cnn_ablation.errors import InputError

IMAGES = np.arange(30 * 4 * 3, dtype=np.int64).reshape(30, 4, 3) % 256
LABELS = np.arange(30) % 5


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered.DATASETS, "_choices", {})
    monkeypatch.setattr(registered, "_made", {})


@pytest.fixture
def calls() -> Iterator[list[str]]:
    """A dataset called `squares` is registered; what it notes of its calls."""
    calls = []

    @register_dataset("squares")
    def squares() -> Dataset:
        calls.append("called")
        return Dataset.from_arrays("mine", (IMAGES, LABELS), (IMAGES[:20], LABELS[:20]))

    assert calls == []
    yield calls


def test_found_by_name_and_made_once(calls: list[str]) -> None:
    assert describe_dataset("squares") == ((4, 3, 1), 5)
    dataset = load_dataset("squares")
    assert (dataset.name, dataset.num_classes) == ("squares", 5)
    assert dataset.version.startswith("arrays-")
    np.testing.assert_array_equal(dataset.train.images_NHWC[..., 0], IMAGES)
    np.testing.assert_array_equal(dataset.test.labels_N, LABELS[:20])
    spec = DataSpec(dataset="squares", test_split="test[:3]")
    part = load_data(spec, DataLocation(data_dir=None, manual_dir=None))
    assert part.test_split == "test[:3]" and len(part.test.labels_N) == 3
    assert part.version == dataset.version and part.train is dataset.train

    @register_dataset("others")
    def others() -> Dataset:
        raise AssertionError

    load_dataset("squares")
    assert calls == ["called"]


@pytest.mark.parametrize(
    ("spec", "pieces"),
    [
        ("train[:10%]", [("train", 0, 3)]),
        ("train[10:20]", [("train", 10, 20)]),
        ("train[-7:]", [("train", 23, 30)]),
        ("train[50%:]+test[:5]", [("train", 15, 30), ("test", 0, 5)]),
        ("test", [("test", 0, 20)]),
    ],
)
def test_split_syntax(calls: list[str], spec: str, pieces: list[tuple[str, int, int]]) -> None:
    dataset = load_dataset("squares", train_split=spec, test_split=spec)
    for part in (dataset.train, dataset.test):
        expected = np.concatenate([np.arange(start, stop) for _, start, stop in pieces])
        np.testing.assert_array_equal(part.images_NHWC[..., 0], IMAGES[expected])
        np.testing.assert_array_equal(part.labels_N, LABELS[expected])


@pytest.mark.parametrize("flag", ["train_split", "test_split"])
@pytest.mark.parametrize("spec", ["validation", "train[:0]", "train[", "train[:200%]", ""])
def test_split_refused(calls: list[str], flag: str, spec: str) -> None:
    split: dict[str, Any] = {flag: spec}
    with pytest.raises(InputError) as caught:
        load_dataset("squares", **split)
    message = str(caught.value)
    assert message.startswith(f"--{flag}={spec}: ") and "\n" not in message
    assert "train (30 images), test (20 images)" in message


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_names_of_this_package_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"^dataset {name}: is one of TFDS"):
        register_dataset(name)


def test_other_names_of_tfds_are_refused_when_used() -> None:
    @register_dataset("cifar10")
    def mine() -> Dataset:
        raise AssertionError

    for call in (describe_dataset, load_dataset):
        with pytest.raises(InputError, match=r"^--dataset=cifar10: .*mine \(.*TFDS has a dataset"):
            call("cifar10")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:1", "../a"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"dataset {name}: must be named with letters")):
        register_dataset(name)


def test_a_name_is_taken_but_by_the_same_function(calls: list[str]) -> None:
    load_dataset("squares")
    (squares,) = registered.DATASETS.values()
    register_dataset("squares")(squares)
    load_dataset("squares")
    assert calls == ["called", "called"]
    with pytest.raises(InputError, match=r"squares: is registered already, by .*squares"):

        @register_dataset("squares")
        def other() -> Dataset:
            raise AssertionError


def fail() -> Dataset:
    raise ValueError("two\nlines")


def return_arrays() -> Any:
    return IMAGES


def make_floats() -> Dataset:
    part = LabeledImages(IMAGES[..., None] / 255, LABELS)
    return Dataset("x", "1", "train", "test", 5, part, part)


def need_argument(argument: int) -> Dataset:
    raise AssertionError(argument)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (fail, "failed: ValueError: two lines"),
        (return_arrays, "returned ndarray, must return a Dataset; Dataset.from_arrays makes one"),
        (make_floats, "failed: InputError: images: are float64, must be uint8"),
        (need_argument, "failed: TypeError: need_argument() missing 1 required"),
    ],
)
def test_what_fails_is_a_line_that_names_the_function(function: Any, says: str) -> None:
    register_dataset("squares")(function)
    for call in (describe_dataset, load_dataset):
        with pytest.raises(InputError) as caught:
            call("squares")
        message = str(caught.value)
        assert message.startswith(f"--dataset=squares: {function.__name__} ({__file__}, line ")
        assert says in message and "\n" not in message


def test_a_name_that_is_not_there_tells_which_are(calls: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be mnist, fashion_mnist, kmnist, squares, or"):
        load_dataset("circles", data_dir=str(tmp_path))
    with pytest.raises(InputError, match=r"^--manual_dir=.*serves mnist, .* only, not squares"):
        load_dataset("squares", manual_dir=str(tmp_path))


def test_no_tensorflow_is_imported(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "import sys, numpy as np\n"
        "from cnn_ablation.data import Dataset, load_dataset, register_dataset\n"
        "@register_dataset('dots')\n"
        "def dots():\n"
        "    pair = np.eye(8, dtype=int)[None].repeat(6, 0), np.arange(6) % 2\n"
        "    return Dataset.from_arrays('dots', pair, pair)\n"
        "assert 'tensorflow_datasets' not in sys.modules\n"
        "print(load_dataset('dots', train_split='train[:50%]').train.labels_N.tolist())\n"
        "print('tensorflow' in sys.modules)\n"
    )
    command = f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", command],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "[0, 1, 0]\nFalse\n", done.stderr
