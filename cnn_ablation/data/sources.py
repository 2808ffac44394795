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
        contents: SHA-256 of what each archive holds; empty where they are not known.
    """

    name: str
    version: str = "3.0.1"
    image_shape: tuple[int, int, int] = (28, 28, 1)
    num_classes: int = 10
    num_examples: int = 70_000
    archives: Archives = Archives()
    class_names: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()


# SHA-256 of what the archives hold, in the order of `Archives.names`: who compresses them anew, as
# Debian does, gets other archives of the same. With the originals' name and time (2017-08-31,
# 10:50:06 and 10:50:27 UTC) in their headers Debian's of Fashion-MNIST have TFDS's checksums.
_DIGITS = (
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)
_FASHION = (
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)
# Of Fashion-MNIST as its authors call them (Xiao et al., 2017, table 2).
_CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
SOURCES = {
    source.name: source
    for source in (
        Source("mnist", contents=_DIGITS),
        Source("fashion_mnist", class_names=_CLOTHES, contents=_FASHION),
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
