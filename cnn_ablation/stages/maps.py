"""Feature maps as sizes alone, the rows of a layer table, and what every stage must provide."""

import dataclasses
from typing import Any, Protocol

BlockLike = Any
"""One block's values as attributes, by the names of the spec's fields: `design.Block`."""


@dataclasses.dataclass(frozen=True)
class Layer:
    """One row of the layer table.

    Attributes:
        name: the layer's name, which for layers with parameters is also their key in `params`.
        output_shape: shape for one example: (height, width, channels) or (units,).
        params: number of trained parameters.
        macs: multiply-accumulates of one example's forward pass; additions of biases not counted.
        receptive_field: (height, width) in pixels of the image region that one unit can see.
    """

    name: str
    output_shape: tuple[int, ...]
    params: int
    macs: int
    receptive_field: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Map:
    """The feature maps of one example between two stages, and how much of the image a unit sees.

    The receptive field is worked out as in Araujo et al. 2019 (Distill).

    Attributes:
        height: in units.
        width: in units.
        channels: number of maps.
        image_size: (height, width) of the image in pixels.
        side: pixels along one axis that a unit sees, were the image without end.
        step: pixels between the centres of neighbouring units.
    """

    height: int
    width: int
    channels: int
    image_size: tuple[int, int]
    side: int = 1
    step: int = 1

    @classmethod
    def of_image(cls, shape: tuple[int, int, int]) -> "Map":
        """The image itself, of shape (height, width, channels)."""
        height, width, channels = shape
        return cls(height, width, channels, (height, width))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels

    @property
    def units(self) -> int:
        """Units of one example."""
        return self.height * self.width * self.channels

    def through(self, height: int, width: int, channels: int, *, window: int, stride: int) -> "Map":
        """The map behind a window of `window` units that moves by `stride` units."""
        side, step = self.side + (window - 1) * self.step, self.step * stride
        return Map(height, width, channels, self.image_size, side, step)

    def seen(self, size: tuple[int, int] = (1, 1)) -> tuple[int, int]:
        """Pixels that a patch of so many units sees, at most the whole image."""
        height, width = (self.side + (units - 1) * self.step for units in size)
        return min(height, self.image_size[0]), min(width, self.image_size[1])


class Stage(Protocol):
    """What each stage's module has, beside its computation.

    Attributes:
        FIELDS: the fields of a block that are this stage's.
    """

    @property
    def FIELDS(self) -> tuple[str, ...]:  # noqa: N802
        """The fields of a block that are this stage's."""

    @staticmethod
    def after(block: BlockLike, before: Map) -> Map:
        """The map behind the stage."""

    @staticmethod
    def layer(block: BlockLike, index: int, seen: Map, before: Map, after: Map) -> Layer | None:
        """The stage's row of the layer table; None where it has none or the block leaves it out.

        Args:
            block: the block's values.
            index: the block's number from 0, for the row's name.
            seen: the map that the block is given.
            before: the map that the stage is given.
            after: the map behind it.
        """

    @staticmethod
    def misfit(block: BlockLike, number: int, seen: Map, before: Map) -> tuple[str, str] | None:
        """What keeps the stage from working on a map.

        Args:
            block: the block's values.
            number: the block's number from 1, for the message.
            seen: the map that the block is given.
            before: the map that the stage is given.

        Returns:
            The field that is to blame and what is allowed, or None.
        """
