"""Augmentations by name. An entry is a frozen dataclass: its fields are its options.

Each changes one image of uint8 pixels by one PRNG key, and keeps its shape and type. What is laid
bare is 0: black, or a digit's background.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar

from cnn_ablation.options import Registry, option, validate

if TYPE_CHECKING:
    from jax import Array


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What every augmentation has; a subclass declares its options as fields made by `option`.

    Attributes:
        name: its name in the registry, set by `register_augmentation`.
    """

    name: ClassVar[str] = ""

    def __post_init__(self) -> None:
        validate(self)

    def change(self, image_HWC: Array, key: Array) -> Array:
        """One image, changed.

        Args:
            image_HWC: uint8 pixels.
            key: a PRNG key, another one for each image, step and augmentation.

        Returns:
            An image of the same shape and type.
        """
        raise NotImplementedError


T = TypeVar("T", bound=type[Augmentation])
AUGMENTATIONS: Registry[type[Augmentation]] = Registry("augmentation")


def register_augmentation(name: str) -> Callable[[T], T]:
    """A decorator that adds a subclass of `Augmentation`.

    Raises:
        InputError: the name is taken, or is no lower-case identifier.
    """

    def add(entry: T) -> T:
        entry.name = name
        AUGMENTATIONS.register(name)(entry)
        return entry

    return add


@register_augmentation("shift")
@dataclasses.dataclass(frozen=True)
class Shift(Augmentation):
    """Moves an image by whole pixels, up or down and left or right, all shifts equally likely.

    Keras's RandomTranslation moves by fractions of pixels and interpolates.
    """

    shift_pixels: int = option(2, "largest shift to each side, in pixels", least=1)

    def change(self, image_HWC: Array, key: Array) -> Array:
        """The image out of a larger one with a black margin."""
        import jax
        import jax.numpy as jnp
        from jax import lax

        most = self.shift_pixels
        padded = jnp.pad(image_HWC, ((most, most), (most, most), (0, 0)))
        down, right = jax.random.randint(key, (2,), 0, 2 * most + 1)
        return lax.dynamic_slice(padded, (down, right, 0), image_HWC.shape)


@register_augmentation("flip")
@dataclasses.dataclass(frozen=True)
class Flip(Augmentation):
    """Mirrors every second image, by chance, left to right."""

    def change(self, image_HWC: Array, key: Array) -> Array:
        """The image or its mirror image."""
        import jax
        import jax.numpy as jnp

        return jnp.where(jax.random.bernoulli(key), image_HWC[:, ::-1], image_HWC)


@register_augmentation("erase")
@dataclasses.dataclass(frozen=True)
class Erase(Augmentation):
    """Random erasing: a rectangle of an image is blackened (Zhong et al. 2017, arXiv 1708.04896).

    The rectangle takes 2 to 33 % of the image, its sides are as 0.3 to 1 up to 3.3 to 1, and it
    lies wholly inside. The paper draws again what does not fit, where here the longer side is cut,
    and fills with random pixels.
    """

    erase_share: float = option(
        0.5, "share of the images of which a rectangle is erased", above=0, most=1
    )

    def change(self, image_HWC: Array, key: Array) -> Array:
        """The image, with or without a black rectangle."""
        import jax
        import jax.numpy as jnp
        from jax import lax

        chance, area, ratio, top, left = jax.random.uniform(key, (5,))
        height, width, _ = image_HWC.shape
        pixels = height * width * (0.02 + (0.33 - 0.02) * area)
        sides = jnp.exp(jnp.log(0.3) + math.log(3.3 / 0.3) * ratio)
        tall = jnp.clip(jnp.round(jnp.sqrt(pixels * sides)), 1, height)
        wide = jnp.clip(jnp.round(jnp.sqrt(pixels / sides)), 1, width)
        first, left = jnp.floor(top * (height - tall + 1)), jnp.floor(left * (width - wide + 1))
        wide = jnp.where(chance < self.erase_share, wide, 0)
        # Or XLA computes the rectangle anew at every pixel, which takes as long as training does.
        first, left, tall, wide = lax.optimization_barrier((first, left, tall, wide))
        rows, columns = jnp.arange(height)[:, None] - first, jnp.arange(width) - left
        erased = (rows >= 0) & (rows < tall) & (columns >= 0) & (columns < wide)
        return jnp.where(erased[:, :, None], jnp.zeros((), image_HWC.dtype), image_HWC)
