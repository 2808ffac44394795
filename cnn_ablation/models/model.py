"""A trained network with all that is needed to ask it: spec, parameters, names of the classes.

Shape convention: N images, H height, W width, C channels, K classes.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from cnn_ablation.data import Dataset
from cnn_ablation.design import NetworkSpec, TrialSpec
from cnn_ablation.design.words import short_name
from cnn_ablation.models.pixels import checked_pixels
from cnn_ablation.models.scores import Scores
from cnn_ablation.network import model as network
from cnn_ablation.network.maps import feature_maps
from cnn_ablation.training.trainer import TrainedTrial

_BATCH = 500
_LOWERING = "xla"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A trained network.

    Attributes:
        spec: what was trained, how, and on what.
        variables: parameters and statistics, as `cnn.apply` takes them.
        seed: the seed of its training.
        class_names: the classes by number.
        dataset: name, version and fingerprint of what it was trained on, as far as known.
    """

    spec: TrialSpec
    variables: Mapping[str, Any]
    seed: int
    class_names: tuple[str, ...]
    dataset: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, trial: TrainedTrial, dataset: Dataset | None = None) -> "Model":
        """The model of a finished training.

        Args:
            trial: what `cnn.fit` returned.
            dataset: what it was trained on, for the names of its classes.
        """
        spec, facts, names = trial.record.spec, dict[str, str](), tuple[str, ...]()
        if dataset is not None:
            facts = {"name": dataset.name, "version": dataset.version}
            facts["fingerprint"] = dataset.fingerprint
            names = dataset.class_names
        names = names or tuple(map(str, range(spec.network.classes)))
        variables = jax.tree.map(np.asarray, dict(trial.variables))
        return cls(spec, variables, trial.record.seed, names, facts)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images that it takes."""
        return self.spec.network.image_shape

    def predict(self, images: Any) -> np.ndarray:
        """The class numbers of images; `class_names` are their names.

        Args:
            images: one image or a batch, as they come: whole numbers from 0 to 255 or floats from
                0 to 1; (H, W), (H, W, C), (N, H, W) or (N, H, W, C).

        Returns:
            int32, (N,); of a single image a scalar array.

        Raises:
            InputError: the images are of another shape, or not pixels.
        """
        return np.asarray(self.predict_logits(images).argmax(axis=-1), np.int32)

    def predict_proba(self, images: Any) -> np.ndarray:
        """The probability of each class, float32, (N, K); of a single image (K,).

        Arguments and errors are those of `predict`.
        """
        logits = self.predict_logits(images).astype(np.float64)
        powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)

    def predict_logits(self, images: Any) -> np.ndarray:
        """The network's outputs before softmax, float32, (N, K); of a single image (K,).

        Arguments and errors are those of `predict`.
        """
        images_NHWC, single = checked_pixels(images, self.image_shape)
        parts = [
            np.asarray(_logits(self.variables, part, self.spec.network, self.spec.training.dtype))
            for part in _parts(images_NHWC)
        ]
        logits_NK = np.concatenate(parts)
        return logits_NK[0] if single else logits_NK

    def evaluate(self, images: Any, labels: Any) -> Scores:
        """Right and wrong answers on images whose classes are known.

        Args:
            images: a batch, as `predict` takes it.
            labels: class numbers, (N,).

        Raises:
            InputError: images or labels are not what they must be.
        """
        proba_NK = np.atleast_2d(self.predict_proba(images))
        return Scores.of(proba_NK, np.atleast_1d(labels), self.class_names)

    def feature_maps(self, image: Any) -> list[np.ndarray]:
        """What each convolution block makes of one image: float32, (height, width, features).

        Raises:
            InputError: the image is of another shape, or not pixels.
        """
        images_NHWC, _ = checked_pixels(image, self.image_shape)
        spec = self.spec.network
        return [np.asarray(m[0]) for m in feature_maps(spec, self.variables, images_NHWC[:1])]

    @property
    def first_filters(self) -> np.ndarray:
        """Kernels of the first convolution, (height, width, channels, features)."""
        layers = self.variables["params"]
        return np.asarray(layers["conv_0"]["kernel"])

    def __repr__(self) -> str:
        height, width, channels = self.image_shape
        params = sum(np.size(leaf) for leaf in jax.tree.leaves(self.variables["params"]))
        return (
            f"Model({short_name(self.spec)}: {height} x {width} x {channels} to "
            f"{self.spec.network.classes} classes, {params:,} parameters, seed {self.seed})"
        )


def _parts(images_NHWC: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(images_NHWC), _BATCH):
        yield images_NHWC[start : start + _BATCH]


@functools.partial(jax.jit, static_argnums=(2, 3))
def _logits(variables: Any, images_NHWC: Any, spec: NetworkSpec, dtype: str) -> Array:
    images_NHWC = jnp.asarray(images_NHWC)
    return network.apply(spec, variables, images_NHWC, lowering=_LOWERING, dtype=dtype)
