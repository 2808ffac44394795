"""What is known of datasets without reading them: the three of MNIST's form, and where data lie."""

import dataclasses
import os
from pathlib import Path

from cnn_ablation.errors import InputError
from cnn_ablation.system.paths import user_path

EMBEDDED_ARCHIVES = Path(__file__).parent / "archives"


@dataclasses.dataclass(frozen=True)
class Archives:
    """The four archives of a dataset in MNIST's form, as TFDS names them."""

    train_images: str = "train-images-idx3-ubyte.gz"
    train_labels: str = "train-labels-idx1-ubyte.gz"
    test_images: str = "t10k-images-idx3-ubyte.gz"
    test_labels: str = "t10k-labels-idx1-ubyte.gz"

    def names(self) -> tuple[str, ...]:
        """The four file names."""
        return dataclasses.astuple(self)


@dataclasses.dataclass(frozen=True)
class Source:
    """A dataset that is prepared here, from its original archives.

    Attributes:
        name: TFDS name.
        version: the version of TFDS's builder that this package follows.
        image_shape: (height, width, channels).
        num_classes: number of labels.
        num_examples: training and test images together.
        archives: file names of the originals.
        class_names: the classes' names by number; empty where they are digits.
    """

    name: str
    version: str = "3.0.1"
    image_shape: tuple[int, int, int] = (28, 28, 1)
    num_classes: int = 10
    num_examples: int = 70_000
    archives: Archives = Archives()
    class_names: tuple[str, ...] = ()


# Of Fashion-MNIST as its authors call them (Xiao et al., 2017, table 2).
_CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
SOURCES = {
    source.name: source
    for source in (
        Source("mnist"),
        Source("fashion_mnist", class_names=_CLOTHES),
        Source("kmnist"),
    )
}


def resolve_data_dir(data_dir: str | None) -> Path:
    """The folder that holds prepared datasets; TFDS's own default where none is given.

    Raises:
        InputError: the folder is not on a local file system.
    """
    given = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return local_path("data_dir", given)


def local_path(flag: str, given: str) -> Path:
    """The path that a flag names.

    Raises:
        InputError: it names a place in a cloud.
    """
    if "://" in given:
        raise InputError(f"--{flag}={given}: must be a folder of this machine")
    return user_path(flag, given)
