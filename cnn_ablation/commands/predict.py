"""The command that asks a trained model what images show."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from cnn_ablation.commands import entry
from cnn_ablation.commands.flags import define_record
from cnn_ablation.data import DataLocation
from cnn_ablation.display.text import format_table
from cnn_ablation.errors import InputError
from cnn_ablation.system.backend import load_jax, start_jax
from cnn_ablation.system.files import unwritable, write_bytes
from cnn_ablation.system.paths import user_path

if TYPE_CHECKING:
    from cnn_ablation.models.model import Model
    from cnn_ablation.models.pictures import Pictures
    from cnn_ablation.models.scores import Scores

_PAGE = """{program} MODEL IMAGES [IMAGES ...] [--json] [--figures=FOLDER]
{program} MODEL --dataset=NAME [--split=test] [--figures=FOLDER]

Asks a trained model what images show. MODEL is a .safetensors file that a training with
--save_params has left, or the folder of such a run (its first seed). IMAGES are PNG or JPEG files,
folders of them, or npz files with the array x_test or images. They are resized where the training
resized its own; else they must have the size of those that were trained on.

Where the classes of all images are known, because a folder is called as its class is, or a file
holds y_test or labels, the answers are scored: accuracy by class, and what it is taken for.

--figures=FOLDER writes PNG files: first-layer filters, feature maps of the first image, and of
scored images the confusion matrix, accuracy by class, and those that were answered wrongly.

{program} runs/mine photos/cat photos/dog
{program} runs/mine/model-seed0.safetensors --dataset=mnist --figures=figures"""
_MODULE = "cnn_ablation: asking"
_MOST_LINES = 20
FLAGS = flags.FLAGS


def run() -> None:
    """Asks what the command line says, and exits."""
    flags.DEFINE_boolean("json", False, "print a JSON object a line", module_name=_MODULE)
    flags.DEFINE_string("figures", None, "folder to write figures into", module_name=_MODULE)
    text = "dataset whose images are asked about, instead of files"
    flags.DEFINE_string("dataset", None, text, module_name=_MODULE)
    flags.DEFINE_string("split", "test", "its split, in TFDS split syntax", module_name=_MODULE)
    flags.DEFINE_integer("top", 3, "how many classes to show of each image", module_name=_MODULE)
    define_record(DataLocation, _MODULE)
    given = entry.take_words()
    entry.run(lambda: _predict(given), _PAGE.format(program=entry.called_as("predict")))


def _predict(given: Sequence[str]) -> None:
    if not given:
        raise InputError("MODEL: name a model's file, or the folder of a run with --save_params")
    if (len(given) > 1) == bool(FLAGS.dataset):
        raise InputError("IMAGES: name images, or a dataset with --dataset")
    path = _model_file(user_path("model", given[0]))
    if FLAGS.top < 1:
        raise InputError(f"--top={FLAGS.top}: must be a whole number of 1 or more")
    load_jax()
    start_jax()
    # Imported late: a mistake above need not wait for JAX.
    from cnn_ablation.models.files import load
    from cnn_ablation.models.pictures import pictures_of, read_pictures
    from cnn_ablation.models.scores import Scores

    model = load(path)
    if FLAGS.dataset:
        location = DataLocation(FLAGS.data_dir, FLAGS.manual_dir)
        pictures = pictures_of(FLAGS.dataset, FLAGS.split, model, location)
    else:
        pictures = read_pictures([user_path("images", one) for one in given[1:]], model)
    proba_NK = np.atleast_2d(model.predict_proba(pictures.images_NHWC))
    scores = None
    if pictures.labels_N is not None:
        scores = Scores.of(proba_NK, pictures.labels_N, model.class_names)
    _print(model, pictures, proba_NK, scores)
    if FLAGS.figures:
        _draw(user_path("figures", FLAGS.figures), model, pictures, scores)


def _model_file(path: Path) -> Path:
    from cnn_ablation.models.names import MODELS

    if not path.is_dir():
        return path
    found = sorted(path.glob(MODELS), key=lambda file: (len(file.name), file.name))
    if not found:
        raise InputError(f"{path}: holds no model; train with --save_params to keep some")
    return found[0]


def _print(model: Model, pictures: Pictures, proba_NK: np.ndarray, scores: Scores | None) -> None:
    if FLAGS.json:
        for number in range(len(proba_NK)):
            print(json.dumps(_answer(model, pictures, proba_NK, number), allow_nan=False))
        return
    print(f"{model!r}\n")
    answers = [_row(model, pictures, proba_NK, n) for n in range(len(proba_NK))]
    shown = answers if scores is None or len(answers) <= _MOST_LINES else []
    if shown:
        print(format_table([("image", "answer", "probability", "next"), *shown]))
    if scores is not None:
        print(("\n" if shown else "") + scores.table())


def _order(proba_K: np.ndarray) -> np.ndarray:
    return np.argsort(-proba_K, kind="stable")[: FLAGS.top]


def _row(model: Model, pictures: Pictures, proba_NK: np.ndarray, number: int) -> tuple[str, ...]:
    first, *others = _order(proba_NK[number])
    following = ", ".join(f"{model.class_names[k]} {proba_NK[number, k]:.1%}" for k in others)
    share = f"{proba_NK[number, first]:.1%}"
    return pictures.names[number], model.class_names[first], share, following


def _answer(
    model: Model, pictures: Pictures, proba_NK: np.ndarray, number: int
) -> Mapping[str, Any]:
    best = _order(proba_NK[number])
    answer: dict[str, Any] = {
        "image": pictures.names[number],
        "class": int(best[0]),
        "name": model.class_names[best[0]],
        "probabilities": {model.class_names[k]: float(proba_NK[number, k]) for k in best},
    }
    if pictures.labels_N is not None:
        answer["label"] = int(pictures.labels_N[number])
    return answer


def _draw(folder: Path, model: Model, pictures: Pictures, scores: Scores | None) -> None:
    from cnn_ablation.models import figures

    drawn = {
        "filters": figures.filters(model),
        "feature_maps": figures.feature_maps(model, pictures.images_NHWC[0]),
    }
    if scores is not None:
        drawn["confusion"] = figures.confusion(scores)
        drawn["by_class"] = figures.by_class(scores)
        drawn["wrong"] = figures.wrong(scores, pictures.images_NHWC)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in drawn.items():
            image = io.BytesIO()
            figure.savefig(image, format="png", dpi=150)
            write_bytes(folder / f"{name}.png", image.getvalue())
    except OSError as error:
        raise unwritable(folder, error) from None
    if not FLAGS.json:
        print(f"\nwritten  {folder}: {', '.join(f'{name}.png' for name in drawn)}")
