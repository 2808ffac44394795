"""A dataset of arrays in a study: every executor trains on the very same images."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import cnn_ablation as cnn
from cnn_ablation.data import registered
from cnn_ablation.errors import InputError

LABELS = np.arange(80) % 2
IMAGES = (
    np.random.default_rng(0).integers(0, 100, (80, 6, 6)) + 60 * LABELS[:, None, None]
).astype(np.uint8)
DATASET = cnn.Dataset.from_arrays("pairs", (IMAGES, LABELS), (IMAGES[::-1], LABELS[::-1]))
VARIANTS = cnn.one_axis(cnn.NetworkSpec(features=2), "hidden", (3, 4))
STUDY = cnn.Study("own", "Own?", (cnn.Question("width", "Width", VARIANTS),))


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    registered._given.clear()
    registered._made.pop("pairs", None)
    registered.DATASETS.unregister("pairs")


def train(folder: Path, executor: str, dataset: cnn.Dataset | None) -> list[object]:
    options = cnn.StudyOptions.of(
        seeds=range(2),
        training=cnn.TrainingSpec(epochs=1, batch_size=16),
        data=cnn.DataSpec("pairs", train_split="train[:75%]"),
        workdir=str(folder / executor),
        timing_rounds=0,
        executor=executor,
        workers=None if executor == "inline" else 1,
        conv="xla",
    )
    results = cnn.train_study(STUDY, options, dataset=dataset)
    assert results.data.dataset == "pairs"
    return [
        (trial.spec, trial.seed, trial.status, trial.epochs[-1].test_loss)
        for trial in results.trials
    ]


@pytest.mark.processes
def test_workers_are_given_the_arrays(tmp_path: Path) -> None:
    inline = train(tmp_path, "inline", DATASET)
    assert len(inline) == 4
    assert train(tmp_path, "processes", DATASET) == inline


@pytest.mark.processes
def test_a_function_of_a_notebook_travels_as_its_arrays(tmp_path: Path) -> None:
    code = "@cnn.register_dataset('pairs')\ndef pairs():\n    return dataset\n"
    exec(code, {"cnn": cnn, "dataset": DATASET})
    found = train(tmp_path, "processes", None)
    assert found == train(tmp_path, "inline", None)


def test_a_name_that_another_dataset_has_is_refused() -> None:
    for name, says in (("mnist", "another dataset has this name"), ("a b", "must be named with")):
        other = cnn.Dataset.from_arrays(name, (IMAGES, LABELS), (IMAGES, LABELS))
        with pytest.raises(InputError, match=says):
            cnn.use_dataset(other)


def test_it_is_found_by_its_name_with_other_splits() -> None:
    assert cnn.use_dataset(DATASET) == "pairs"
    found = cnn.load_dataset("pairs", train_split="train[:10]", image_size=3)
    assert (len(found.train.labels_N), found.image_shape) == (10, (3, 3, 1))
