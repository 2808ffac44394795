"""Which images a trial is trained and tested on."""

import dataclasses
from typing import ClassVar

from cnn_ablation.design.part import Part
from cnn_ablation.options import option, validate


@dataclasses.dataclass(frozen=True)
class DataSpec(Part):
    """Which images are trained and tested on, in TFDS's names and split syntax."""

    part: ClassVar[str] = "data"

    dataset: str = option("mnist", "mnist, fashion_mnist, kmnist or any that TFDS has prepared")
    train_split: str = option("train", "training images, in TFDS split syntax: train[:10%]")
    test_split: str = option("test", "test images, in TFDS split syntax")

    def __post_init__(self) -> None:
        validate(self)
