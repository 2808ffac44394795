"""Trained models: what is saved is loaded, asked and scored; what is damaged is refused."""

import dataclasses
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import forked
import jax
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from safetensors.numpy import save as to_bytes

import cnn_ablation as cnn
from cnn_ablation.errors import InputError
from cnn_ablation.models import figures
from cnn_ablation.models.files import load, save
from cnn_ablation.models.pictures import read_pictures
from cnn_ablation.system.stored import seal

CLASSES = ("dark", "light", "striped")
SHAPE = (12, 10, 1)


def images_of(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, (len(labels), *SHAPE), np.uint8)
    images[labels == 1] += 150
    images[labels == 2, ::2] += 150
    return images


LABELS = np.arange(90) % 3
DATASET = cnn.Dataset.from_arrays(
    "patterns", (images_of(LABELS), LABELS), (images_of(LABELS, 1), LABELS), class_names=CLASSES
)
SPEC = cnn.TrialSpec(
    cnn.NetworkSpec(
        features=(4, 6),
        hidden=8,
        norm="batch",
        residual=(False, True),
        padding="same",
        pool=(2, 1),
        image_shape=SHAPE,
        classes=3,
    ),
    cnn.TrainingSpec(epochs=8, batch_size=16, optimizer="adam"),
    cnn.DataSpec("patterns", input_norm="standardize"),
)


@pytest.fixture(scope="module")
def trial() -> cnn.TrainedTrial:
    (found,) = cnn.fit(SPEC, DATASET, [3], cnn.ComputeOptions(conv="xla"))
    return found


@pytest.fixture(scope="module")
def model(trial: cnn.TrainedTrial) -> cnn.Model:
    return cnn.Model.of(trial, DATASET)


@pytest.fixture
def path(model: cnn.Model, tmp_path: Path) -> Path:
    return save(tmp_path / "model", model)


def test_what_is_saved_is_loaded(model: cnn.Model, path: Path) -> None:
    assert path.name == "model.safetensors"
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    found = load(path)
    assert (found.spec, found.seed, found.class_names) == (SPEC, 3, CLASSES)
    assert found.dataset == {
        "name": "patterns",
        "version": DATASET.version,
        "fingerprint": DATASET.fingerprint,
    }
    jax.tree.map(np.testing.assert_array_equal, found.variables, dict(model.variables))
    assert set(found.variables) == {"params", "batch_stats", "input_stats"}
    images = DATASET.test.images_NHWC
    np.testing.assert_array_equal(found.predict_logits(images), model.predict_logits(images))


def test_answers_are_those_of_training(trial: cnn.TrainedTrial, model: cnn.Model) -> None:
    scores = model.evaluate(DATASET.test.images_NHWC, DATASET.test.labels_N)
    assert trial.record.test_correct is not None
    right = scores.labels_N == scores.predicted_N
    np.testing.assert_array_equal(right, trial.record.test_correct.bits())
    assert scores.accuracy == pytest.approx(trial.record.epochs[-1].test_accuracy)
    assert scores.accuracy > 0.9, "or the tests below say little"


def test_forms_of_an_image_give_the_same_answer(model: cnn.Model) -> None:
    images = DATASET.test.images_NHWC[:5]
    batch = model.predict_proba(images)
    assert batch.shape == (5, 3)
    np.testing.assert_allclose(batch.sum(axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(images / 255), batch, atol=1e-5)
    one = model.predict_proba(images[2, ..., 0])
    assert one.shape == (3,)
    np.testing.assert_allclose(one, batch[2], atol=1e-5)
    assert model.predict(images[2]).shape == ()
    assert CLASSES[int(model.predict(images[2]))] == CLASSES[int(batch[2].argmax())]


def test_many_images_are_asked_in_parts(model: cnn.Model) -> None:
    images = np.concatenate([DATASET.test.images_NHWC] * 6)
    assert len(images) > 500
    np.testing.assert_array_equal(
        model.predict(images), np.tile(model.predict(DATASET.test.images_NHWC), 6)
    )


def test_scores_count_by_class() -> None:
    proba_NK = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.6, 0.4, 0], [0, 1, 0]])
    scores = cnn.Scores.of(proba_NK, [0, 1, 1, 0], CLASSES)
    np.testing.assert_array_equal(scores.confusion, [[1, 1, 0], [1, 1, 0], [0, 0, 0]])
    assert scores.accuracy == 0.5
    assert scores.accuracy_by_class == {"dark": 0.5, "light": 0.5}
    assert scores.wrong.tolist() == [3, 2], "the most confident first"
    assert scores.table().splitlines()[4].split() == ["striped", "0", "-", "-"]
    with pytest.raises(InputError, match="must be 0 to 2"):
        cnn.Scores.of(proba_NK, [0, 1, 1, 3], CLASSES)


def test_feature_maps_are_what_the_network_computes(model: cnn.Model) -> None:
    maps = model.feature_maps(DATASET.test.images_NHWC[0])
    assert [one.shape for one in maps] == [(6, 5, 4), (6, 5, 6)]
    assert min(one.min() for one in maps) >= 0, "behind ReLU"
    # From the last maps the head gives the logits.
    hidden, logits = (model.variables["params"][name] for name in ("hidden", "logits"))
    features = maps[-1].ravel() @ hidden["kernel"] + hidden["bias"]
    computed = np.maximum(features, 0) @ logits["kernel"] + logits["bias"]
    np.testing.assert_allclose(
        computed, model.predict_logits(DATASET.test.images_NHWC[0]), rtol=1e-4, atol=1e-4
    )


def test_figures_are_drawn(model: cnn.Model) -> None:
    images = DATASET.test.images_NHWC
    scores = model.evaluate(images, (DATASET.test.labels_N + 1) % 3)
    none_wrong = model.evaluate(images, model.predict(images))
    drawn = [
        figures.filters(model),
        figures.feature_maps(model, images[0]),
        figures.confusion(scores),
        figures.by_class(scores),
        figures.wrong(scores, images),
        figures.wrong(none_wrong, images),
    ]
    for figure in drawn:
        assert isinstance(figure, Figure)
        figure.canvas.draw()
    assert len(drawn[0].axes) == 4 + 1
    assert len(drawn[4].axes) == 24
    title = drawn[4].axes[0].get_title()
    assert title.startswith(tuple(f"{true}, {answer} (" for true in CLASSES for answer in CLASSES))


def test_things_are_shown_in_a_line(trial: cnn.TrainedTrial, model: cnn.Model) -> None:
    for thing in (trial, trial.record, model, SPEC, SPEC.network, DATASET, DATASET.train):
        assert len(repr(thing)) < 400
        assert "array(" not in repr(thing)
    assert repr(cnn.NetworkSpec(stride=2)) == "NetworkSpec(stride=2)"
    for spec in (SPEC.network, SPEC.training, SPEC.data, cnn.NetworkSpec(features=(4, 4))):
        assert eval(repr(spec), {type(spec).__name__: type(spec)}) == spec


def _changed(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    """What writes a model's file anew with another text, its checksum right."""

    def write(path: Path) -> None:
        raw = path.read_bytes()
        size = int.from_bytes(raw[:8], "little")
        about = json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["cnn_ablation"])
        about.pop("checksum")
        change(about)
        arrays = _arrays(load(path))
        path.write_bytes(to_bytes(arrays, {"cnn_ablation": json.dumps(seal(about))}))

    return write


def _arrays(model: cnn.Model) -> dict[str, np.ndarray]:
    from cnn_ablation.models.files import _flat

    return _flat(model.variables)


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "cut off": (lambda p: p.write_bytes(p.read_bytes()[:-10]), "is damaged, or no safetensors"),
    "empty": (lambda p: p.write_bytes(b""), "is damaged, or no safetensors"),
    "text": (lambda p: p.write_text("hello, this is no model"), "is damaged, or no safetensors"),
    "a bit": (
        lambda p: p.write_bytes(p.read_bytes()[:-3] + bytes([p.read_bytes()[-3] ^ 1, 0, 0])),
        "its arrays are not those",
    ),
    "foreign": (lambda p: p.write_bytes(to_bytes({"x": np.zeros(3)})), "no model of cnn_ablation"),
    "no json": (
        lambda p: p.write_bytes(to_bytes({"x": np.zeros(3)}, {"cnn_ablation": "{"})),
        "not JSON",
    ),
    "other spec": (
        _changed(lambda about: about["spec"]["network"].update(hidden=9)),
        "the spec's is",
    ),
    "newer": (_changed(lambda about: about.update(format=2)), "format 2: must be 1"),
    "names": (_changed(lambda about: about.update(class_names=["a"])), "must be 3 texts"),
    "seed": (_changed(lambda about: about.update(seed=-1)), "seed=-1"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_one_line(name: str, path: Path) -> None:
    damage, says = DAMAGE[name]
    damage(path)
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize("fill", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(
    fill: float, model: cnn.Model, tmp_path: Path
) -> None:
    variables = jax.tree.map(lambda leaf: np.full_like(leaf, fill), dict(model.variables))
    path = save(tmp_path / "bad", dataclasses.replace(model, variables=variables))
    with pytest.raises(InputError, match="not finite"):
        load(path)


def test_a_folder_that_cannot_be_written_is_named(model: cnn.Model, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        save(tmp_path / "nowhere" / "model", model)


def write_images(folder: Path, count: int = 4) -> Path:
    for label, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for number, image in enumerate(images_of(np.full(count, label), 5)):
            Image.fromarray(image[..., 0]).save(folder / name / f"{number}.png")
    return folder


def test_pictures_are_read_with_the_classes_of_their_folders(
    model: cnn.Model, tmp_path: Path
) -> None:
    folder = write_images(tmp_path / "photos")
    pictures = read_pictures([folder], model)
    assert pictures.labels_N is not None
    assert pictures.labels_N.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert pictures.names[0] == str(folder / "dark" / "0.png")
    one = read_pictures([folder / "light" / "2.png"], model)
    np.testing.assert_array_equal(one.images_NHWC[0], pictures.images_NHWC[6])
    np.savez(tmp_path / "a.npz", x_test=pictures.images_NHWC[..., 0], y_test=pictures.labels_N)
    again = read_pictures([tmp_path / "a.npz"], model)
    np.testing.assert_array_equal(again.images_NHWC, pictures.images_NHWC)
    np.testing.assert_array_equal(again.labels_N, pictures.labels_N)


def test_pictures_of_another_size_or_kind_are_refused(model: cnn.Model, tmp_path: Path) -> None:
    Image.new("L", (9, 12)).save(tmp_path / "small.png")
    Image.new("RGB", (10, 12)).save(tmp_path / "red.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("x")
    np.savez(tmp_path / "other.npz", z=np.zeros(3))
    for name, says in (
        ("small.png", "is 9x12 pixels, grey, the model takes 10x12 pixels, grey"),
        ("red.png", "is 10x12 pixels, RGB, the model takes 10x12 pixels, grey"),
        ("empty", "holds no image"),
        ("text.txt", "must be an image in"),
        ("nowhere", "is not there"),
        ("other.npz", "must hold the array"),
    ):
        with pytest.raises(InputError, match=says) as caught:
            read_pictures([tmp_path / name], model)
        assert name in str(caught.value)


def test_images_are_resized_as_in_training(model: cnn.Model, tmp_path: Path) -> None:
    Image.new("L", (40, 30), 200).save(tmp_path / "large.png")
    spec = SPEC.replace(image_size=(12, 10))
    pictures = read_pictures([tmp_path / "large.png"], dataclasses.replace(model, spec=spec))
    assert pictures.images_NHWC.shape == (1, *SHAPE)


def ask(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return forked.run("-m", "cnn_ablation", "predict", *words, cwd=folder)


def test_the_command_answers_scores_and_draws(path: Path, tmp_path: Path) -> None:
    write_images(tmp_path / "photos")
    done = ask(tmp_path, path.name, "photos", "--figures=figures")
    assert done.returncode == 0, done.stderr
    assert "photos/dark/0.png" in done.stdout
    assert "mostly taken for" in done.stdout
    assert {file.stem for file in (tmp_path / "figures").iterdir()} == {
        *("filters", "feature_maps", "confusion", "by_class", "wrong")
    }
    lines = ask(tmp_path, path.name, "photos/light", "--json", "--top=1").stdout.splitlines()
    answers = [json.loads(line) for line in lines]
    assert [answer["label"] for answer in answers] == [1] * 4
    assert all(len(answer["probabilities"]) == 1 for answer in answers)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "MODEL: name a model's file"),
        (("model.safetensors",), "IMAGES: name images"),
        (("nowhere", "x.png"), "nowhere: must be a model's file"),
        ((".", "x.png"), "holds no model"),
        (("model.safetensors", "x.png", "--top=0"), "--top=0"),
        (("model.safetensors", "x.png"), "x.png: is not there"),
    ],
)
def test_a_mistake_is_one_line(words: tuple[str, ...], says: str, path: Path) -> None:
    done = ask(path.parent, *words)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert says in line
