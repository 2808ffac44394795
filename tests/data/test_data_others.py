"""Datasets that are not of MNIST's form: whatever TFDS has prepared with an image and a label."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image
from tensorflow_datasets.core import registered

from cnn_ablation.data import describe_dataset, load_dataset
from cnn_ablation.errors import InputError

SIZES = {"train": 23, "validation": 5, "test": 11}
IMAGE = tfds.features.Image(shape=(20, 24, 3))
LABEL = tfds.features.ClassLabel(num_classes=5)


def _example(split: str, index: int, shape: tuple[int, ...]) -> tuple[np.ndarray, int]:
    seed = (sorted(SIZES).index(split), index)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    return pixels, index % 5


def _encode(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(file, format="PNG")
    return file.getvalue()


def _prepare(
    data_dir: Path, features: dict[str, Any], *, shuffle: bool = False, shards: int = 1
) -> None:
    """Prepares a dataset called `shapes` with TFDS, as any user's own script would."""
    shape = tuple(features["image"].shape) if "image" in features else (20, 24, 3)
    shape = tuple(side or 20 for side in shape)
    with registered.skip_registration():

        class Shapes(tfds.core.GeneratorBasedBuilder):
            VERSION = tfds.core.Version("1.2.0")

            def _info(self) -> Any:
                return tfds.core.DatasetInfo(
                    builder=self,
                    features=tfds.features.FeaturesDict(features),
                    disable_shuffling=not shuffle,
                )

            def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
                return {split: self._generate_examples(split) for split in SIZES}

            def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
                for index in range(SIZES[split]):
                    pixels, label = _example(split, index, shape)
                    values = {"image": _encode(pixels), "label": label, "index": index}
                    yield index, {name: values[name] for name in features}

    config = tfds.download.DownloadConfig(num_shards=shards)
    builder = Shapes(data_dir=str(data_dir), file_format="array_record")
    builder.download_and_prepare(download_config=config)


def test_other_size_channels_and_classes_in_several_files(tmp_path: Path) -> None:
    features = {"image": IMAGE, "label": LABEL, "index": np.int64}
    _prepare(tmp_path, features, shards=4)
    assert len(list((tmp_path / "shapes" / "1.2.0").glob("*train.array_record*"))) == 4
    assert describe_dataset("shapes", str(tmp_path)) == ((20, 24, 3), 5)

    for _ in ("decoded", "cached"):
        dataset = load_dataset("shapes", data_dir=str(tmp_path))
        assert (dataset.name, dataset.version) == ("shapes", "1.2.0")
        assert (dataset.image_shape, dataset.num_classes) == ((20, 24, 3), 5)
        for split, part in (("train", dataset.train), ("test", dataset.test)):
            expected = [_example(split, index, (20, 24, 3)) for index in range(SIZES[split])]
            np.testing.assert_array_equal(part.images_NHWC, [pixels for pixels, _ in expected])
            assert part.labels_N.tolist() == [label for _, label in expected]

    train = dataset.train
    parts = load_dataset(
        "shapes:1.2.0", data_dir=str(tmp_path), train_split="train[3:21]", test_split="validation"
    )
    np.testing.assert_array_equal(parts.train.images_NHWC, train.images_NHWC[3:21])
    np.testing.assert_array_equal(parts.train.labels_N, train.labels_N[3:21])
    assert len(parts.test.labels_N) == 5


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_shuffled_folder_is_read_in_its_own_order(tmp_path: Path, channels: int) -> None:
    image = tfds.features.Image(shape=(9, 6, channels))
    _prepare(tmp_path, {"image": image, "label": LABEL}, shuffle=True)
    ours = load_dataset("shapes", data_dir=str(tmp_path)).train
    theirs = tfds.data_source("shapes", data_dir=str(tmp_path), split="train")
    assert ours.labels_N.tolist() == [example["label"] for example in theirs]
    assert ours.labels_N.tolist() != [index % 5 for index in range(23)]
    np.testing.assert_array_equal(ours.images_NHWC, [example["image"] for example in theirs])


@pytest.mark.parametrize(
    ("features", "says"),
    [
        ({"image": IMAGE, "index": np.int64}, "features image, index, must have an image and a"),
        ({"image": IMAGE, "label": np.int64}, "label feature is .* must be a ClassLabel"),
        (
            {"image": tfds.features.Image(shape=(None, None, 3)), "label": LABEL},
            r"shape \(None, None, 3\), must all be of one size",
        ),
        (
            {"image": tfds.features.Image(shape=(20, 24, 1), dtype=np.uint16), "label": LABEL},
            "must be an Image of uint8",
        ),
    ],
)
def test_refused_with_the_reason(tmp_path: Path, features: dict[str, Any], says: str) -> None:
    _prepare(tmp_path, features)
    for call in (describe_dataset, load_dataset):
        with pytest.raises(InputError, match=rf"shapes/1\.2\.0: .*{says}") as caught:
            call("shapes", data_dir=str(tmp_path))
        assert "\n" not in str(caught.value)


def test_image_or_label_that_is_not_as_announced(tmp_path: Path) -> None:
    _prepare(tmp_path, {"image": IMAGE, "label": LABEL})
    folder = tmp_path / "shapes" / "1.2.0"
    features = folder / "features.json"
    text = features.read_text()
    for announced, says in (
        (text.replace('"numClasses": "5"', '"numClasses": "4"'), "label 4, must be 0 to 3"),
        (text.replace('"24"', '"25"'), "an image of 20 x 24 pixels, must be 20 x 25"),
    ):
        assert announced != text
        features.write_text(announced)
        with pytest.raises(InputError, match=rf"shapes-train.array_record.*damaged \(.*{says}"):
            load_dataset("shapes", data_dir=str(tmp_path))


@pytest.mark.parametrize("file", ["features.json", "dataset_info.json"])
def test_damaged_metadata_are_named(tmp_path: Path, file: str) -> None:
    _prepare(tmp_path, {"image": IMAGE, "label": LABEL})
    path = tmp_path / "shapes" / "1.2.0" / file
    path.write_text(path.read_text()[:-20])
    for call in (describe_dataset, load_dataset):
        with pytest.raises(InputError, match=r"shapes/1.2.0: not a whole dataset of TFDS \(.*\)"):
            call("shapes", data_dir=str(tmp_path))


def test_archives_do_not_serve_others(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^--manual_dir=.*serves mnist, fashion_mnist, kmnist"):
        load_dataset("shapes", data_dir=str(tmp_path), manual_dir=str(tmp_path))
