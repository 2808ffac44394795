"""Which images a trial is trained and tested on, and how they reach the network."""

import dataclasses
from pathlib import PurePath
from typing import Any, ClassVar, Self

from cnn_ablation.design.part import Part
from cnn_ablation.errors import FieldError
from cnn_ablation.options import WHOLE, option, validate

ARCHIVE = ".npz"
SCALE, STANDARDIZE = "scale", "standardize"


@dataclasses.dataclass(frozen=True, repr=False)
class DataSpec(Part):
    """Which images are trained and tested on, in TFDS's names and split syntax, and in what form.

    Raises:
        FieldError: a value is not allowed.
    """

    part: ClassVar[str] = "data"

    dataset: str = option(
        "mnist",
        "mnist, fashion_mnist, kmnist, any that TFDS has prepared, or a path of yours: a folder "
        "with a folder of PNG and JPEG files for each class, or a file.npz in Keras's form",
    )
    train_split: str = option("train", "training images, in TFDS split syntax: train[:10%]")
    test_split: str = option("test", "test images, in TFDS split syntax")
    validation: float = option(
        0.0,
        "share of the training images that is held out, the same of each class for every design "
        "and seed: the others are trained on, and it is evaluated in the place of the test images",
        least=0,
        below=1,
        absent=0.0,
    )
    train_fraction: float = option(
        1.0,
        "share of the training images that is trained on, drawn by the seed; a smaller share lies "
        "inside a larger one",
        above=0,
        most=1,
        absent=1.0,
    )
    label_noise: float = option(
        0.0,
        "share of the training labels that another class takes the place of, drawn by the seed",
        least=0,
        below=1,
        absent=0.0,
    )
    input_norm: str = option(
        SCALE,
        "pixels as the network sees them: scale (0 to 1), or standardize (then less the mean and "
        "over the standard deviation of each channel of the images trained on)",
        choices=(SCALE, STANDARDIZE),
        absent=SCALE,
    )
    image_size: tuple[int, ...] = option(
        (),
        "side in pixels, or height,width, that images are resized to; none leaves them as they are",
        kind=WHOLE,
        shape="several",
        least=1,
        absent=(),
        may_be_none=True,
    )

    def __post_init__(self) -> None:
        validate(self)
        size: Any = self.image_size
        size = size if isinstance(size, tuple) else (size,)
        if len(size) > 2:
            raise FieldError("image_size", size, "must be one side, or height and width")
        object.__setattr__(self, "image_size", size * 2 if len(size) == 1 else size)

    @property
    def loaded(self) -> Self:
        """The fields that decide which arrays are loaded, the others at their defaults.

        What those say is drawn or computed while a seed is trained.
        """
        return self.replace(train_fraction=1.0, label_noise=0.0, input_norm=SCALE)

    @property
    def drawn(self) -> "DataSpec":
        """The other half of `loaded`: what is drawn or computed while a seed is trained."""
        return DataSpec(
            train_fraction=self.train_fraction,
            label_noise=self.label_noise,
            input_norm=self.input_norm,
        )

    @property
    def evaluated(self) -> str:
        """What is evaluated on: `test` images, or `validation` images."""
        return "validation" if self.validation else "test"

    @property
    def title(self) -> str:
        """The dataset's name for people: of a path its last part."""
        return short_dataset(self.dataset)

    def train_examples(self, count: int) -> int:
        """How many of so many training images are trained on: one at least."""
        return max(1, round(self.train_fraction * count))


def looks_like_path(dataset: str) -> bool:
    """Whether a dataset's name can be nothing but a path."""
    return dataset.endswith(ARCHIVE) or dataset.startswith((".", "~", "/"))


def short_dataset(dataset: str) -> str:
    """A dataset's name, or of a path its last part without `.npz`."""
    if not looks_like_path(dataset):
        return dataset
    return PurePath(dataset).name.removesuffix(ARCHIVE) or dataset
