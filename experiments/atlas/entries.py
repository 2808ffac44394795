"""What the atlas is made of: studies, each with its settings and its folder. Nothing runs here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnn_ablation.design import DataSpec, TrainingSpec
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.studies import find
from cnn_ablation.study import Study
from experiments.atlas.choices import CHOICES

RESULTS = Path(__file__).parents[1] / "results"
ATLAS = RESULTS / "atlas"
DATASETS = ("mnist", "fashion_mnist")
RATES = (0.001, 0.01, 0.1, 1.0, 3.0)
PUBLISHED_RATE = 0.001
A_FIFTH = "train[:20%]"
# Of the first round, before there was an atlas.
_FIRST_ROUND = {
    "mnist/published": "as_published",
    "mnist/map/rate_0.001": "epochs_20",
    "mnist/map/rate_1": "rate_1_epochs_20",
    "mnist/sequential/kernel_size": "sequential/kernel_size_rate_1",
    "mnist/sequential/pooling": "sequential/pooling_rate_1",
}
# Of what is tuned over; where an end is best, tuning goes on beyond it. Adam's best rates are a
# thousandth of Adadelta's, and all get all; the schedules are of SGD with momentum.
_RATES = {
    "optimizer": "learning_rate:0.0003,0.001,0.003,0.01,0.03,0.1,0.3,1",
    "schedule": "learning_rate:0.01,0.03,0.1",
}
_USUAL_RATES = "learning_rate:0.3,1,3"
# With 8 seeds no p of the exact test is below 2 / 2^8: too much for a family of 7 comparisons. What
# was trained first has 8 and keeps them: seeds that are added once the others have been seen would
# make its verdicts exploratory.
SEEDS, FIRST_SEEDS = 10, 8
_TRAINED_FIRST = (
    *("kernel_size", "stride", "padding", "pooling_kind", "dropout", "depthwise"),
    *("normalization", "batch_size", "dilation"),
)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One study of the atlas.

    Attributes:
        name: dataset, part and study: `mnist/choices/activation`.
        study: the declaration.
        settings: what its command would be given, by the names of flags.
    """

    name: str
    study: Study
    settings: dict[str, Any]

    @property
    def dataset(self) -> str:
        """The name of its dataset."""
        return self.name.split("/")[0]

    @property
    def part(self) -> str:
        """`choices`, `choices_small`, `published`, `sequential`, `tuned` or `map`."""
        return self.name.split("/")[1]

    @property
    def question(self) -> str:
        """Its name without the dataset: what is asked of both."""
        return self.name.split("/", 1)[1]

    @property
    def folder(self) -> Path:
        """Where its trials are."""
        first = _FIRST_ROUND.get(self.name)
        return RESULTS / first if first else ATLAS / self.name

    def options(self, **run: Any) -> StudyOptions:
        """How it is run.

        Args:
            run: what belongs to a run alone, such as `manual_dir`, by the names of flags.

        Raises:
            FieldError: a value is not allowed.
        """
        return StudyOptions.of(workdir=str(self.folder), **self.settings, **run)


def entries() -> list[Entry]:
    """All of the atlas, in the order in which it is trained: what says most in an hour first."""
    return [
        entry
        for part in (_sequential, _small_choices, _published, _choices, _map, _tuned)
        for dataset in DATASETS
        for entry in part(dataset)
    ]


def _choices(dataset: str) -> Iterator[Entry]:
    """Each choice as given and tuned, on the small base."""
    for name, study in CHOICES.items():
        yield Entry(f"{dataset}/choices/{name}", study, _tuned_choice(dataset, name))


def _small_choices(dataset: str) -> Iterator[Entry]:
    """The same with a fifth of the images, which takes a quarter of the time."""
    for name, study in CHOICES.items():
        settings = _tuned_choice(dataset, name)
        settings["data"] = settings["data"].replace(train_split=A_FIFTH)
        if name in _TRAINED_FIRST:
            settings["seeds"] = range(FIRST_SEEDS)
        yield Entry(f"{dataset}/choices_small/{name}", study, settings)


def _tuned_choice(dataset: str, name: str) -> dict[str, Any]:
    return _settings(dataset, epochs=10) | {
        "seeds": range(SEEDS),
        "arms": ("tuned",),
        "tune": _RATES.get(name, _USUAL_RATES),
        "interactions": False,
        "timing_rounds": 0,
    }


def _published(dataset: str) -> Iterator[Entry]:
    """The notebook as it was published, with seeds."""
    settings = _settings(dataset, learning_rate=PUBLISHED_RATE) | {
        "seeds": range(20),
        "arms": (),
    }
    yield Entry(f"{dataset}/published", _notebook(), settings)


def _sequential(dataset: str) -> Iterator[Entry]:
    """The notebook's questions, trained properly, until decided or 60 seeds."""
    for question in ("pooling", "kernel_size", "stride", "padding"):
        settings = _settings(dataset) | {
            "seeds": range(1000, 1010),
            "until_decided": True,
            "arms": ("params",) if question == "pooling" else (),
            "interactions": False,
            "timing_rounds": 0,
        }
        yield Entry(f"{dataset}/sequential/{question}", find(question).study, settings)


def _tuned(dataset: str) -> Iterator[Entry]:
    """The notebook with each design tuned, also at equal parameters and at equal compute."""
    settings = _settings(dataset, epochs=10) | {
        "seeds": range(SEEDS),
        "arms": ("tuned", "tuned_params", "tuned_compute"),
        "tune": _USUAL_RATES,
        "interactions": False,
        "timing_rounds": 0,
    }
    yield Entry(f"{dataset}/tuned", _notebook(), settings)


def _map(dataset: str) -> Iterator[Entry]:
    """The notebook's designs over rates; the epochs of a map are read from the longest training."""
    for rate in RATES:
        settings = _settings(dataset, epochs=20, learning_rate=rate) | {
            "seeds": range(SEEDS),
            "arms": (),
            "timing_rounds": 0,
        }
        yield Entry(f"{dataset}/map/rate_{rate:g}", _notebook(), settings)


def _settings(dataset: str, **training: Any) -> dict[str, Any]:
    return {"training": TrainingSpec(**training), "data": DataSpec(dataset=dataset)}


def _notebook() -> Study:
    return find("notebook").study
