"""TFDS's MNIST builders without TensorFlow: the same datasets, read with gzip and encoded here.

What differs from TFDS's own: archives are unzipped and images encoded in Python, and examples keep
the order of their archive (which is also Keras's), so that the arrays of the archive are those of
the prepared dataset and need no decoding.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import tensorflow_datasets as tfds
from tensorflow_datasets import image_classification as originals
from tensorflow_datasets.core import registered

from cnn_ablation.data import idx, png
from cnn_ablation.data.dataset import LabeledImages
from cnn_ablation.data.downloading import download
from cnn_ablation.data.sources import SOURCES
from cnn_ablation.display.notices import Advance
from cnn_ablation.errors import InputError

_CHUNK = 1000

# Lies in the unfinished folder, to tell one of ours from one of TFDS's.
AT_WORK = ".cnn_ablation-at-work"


class _FromArchives:
    """Mixed into a TFDS builder, replaces what needs TensorFlow there.

    Attributes:
        arrays: the splits as they were prepared, once they have been.
        advance: is told how many more images have been encoded.
        at_hand: archives that are known to be right, by file name.
    """

    name: str
    data_dir: str

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.arrays: dict[str, LabeledImages] = {}
        self.advance: Advance = lambda count: None
        self.at_hand: dict[str, Path] = {}

    def _info(self) -> Any:
        info = cast(Any, super())._info()
        return tfds.core.DatasetInfo(
            builder=self,
            description=info.description,
            features=info.features,
            supervised_keys=info.supervised_keys,
            homepage=info.homepage,
            citation=info.citation,
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        (Path(self.data_dir) / AT_WORK).touch()
        source = SOURCES[self.name]
        archives, paths = source.archives, download(dl_manager, source, self.at_hand)
        for split, images, labels in (
            ("train", archives.train_images, archives.train_labels),
            ("test", archives.test_images, archives.test_labels),
        ):
            images_NHWC, labels_N = idx.read_images(paths[images]), idx.read_labels(paths[labels])
            if len(images_NHWC) != len(labels_N):
                raise InputError(
                    f"{self.name}: the {split} archives hold {len(images_NHWC)} images"
                    f" and {len(labels_N)} labels"
                )
            self.arrays[split] = LabeledImages(images_NHWC, labels_N)
        return {split: self._generate_examples(split) for split in self.arrays}

    def _generate_examples(self, split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        images_NHWC, labels_N = self.arrays[split].images_NHWC, self.arrays[split].labels_N
        for key, (image, label) in enumerate(
            zip(png.encode(images_NHWC), labels_N.tolist(), strict=True), start=1
        ):
            yield key, {"image": image, "label": label}
            if key % _CHUNK == 0:
                self.advance(_CHUNK)

    def _log_download_bytes(self) -> None:
        """Says nothing: who called has already told the user."""

    def _log_download_done(self) -> None:
        """Says nothing."""


# Named as TFDS names them, but not registered, so that `tfds.builder` still finds TFDS's own. Those
# are registered when they are first looked at, which must not be inside the block below.
_ORIGINALS = (originals.MNIST, originals.FashionMNIST, originals.KMNIST)

with registered.skip_registration():

    class MNIST(_FromArchives, originals.MNIST):
        """Handwritten digits (LeCun et al., 1998)."""

        VERSION = tfds.core.Version(SOURCES["mnist"].version)

    class FashionMNIST(_FromArchives, originals.FashionMNIST):
        """Articles of clothing (Xiao et al., 2017)."""

        VERSION = tfds.core.Version(SOURCES["fashion_mnist"].version)

    class KMNIST(_FromArchives, originals.KMNIST):
        """Cursive Japanese characters (Clanuwat et al., 2018)."""

        VERSION = tfds.core.Version(SOURCES["kmnist"].version)


BUILDERS: dict[str, Any] = {"mnist": MNIST, "fashion_mnist": FashionMNIST, "kmnist": KMNIST}
