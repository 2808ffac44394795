"""Which examples of a split were answered right: a bit each, kept as a short text."""

import base64
import binascii
import dataclasses
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_ablation.errors import InputError


@dataclasses.dataclass(frozen=True)
class Correctness:
    """A bit an example, in the order of the split.

    Attributes:
        text: base64 of `numpy.packbits` of the bits.
        examples: number of examples.

    Raises:
        InputError: the text is no base64 of so many bits.
    """

    text: str
    examples: int

    def __post_init__(self) -> None:
        whole = type(self.examples) is int and self.examples >= 1
        if not isinstance(self.text, str) or not whole:
            raise InputError("test_correct must be a text, and test_images a whole number from 1")
        packed = self._packed()
        if packed.size != -(-self.examples // 8) or self._unpacked(packed)[self.examples :].any():
            raise InputError(f"test_correct does not hold {self.examples} bits")

    @classmethod
    def of(cls, correct_N: ArrayLike) -> Self:
        """Packs bits, shape (N,)."""
        bits = np.asarray(correct_N, dtype=np.bool_)
        return cls(base64.b64encode(np.packbits(bits).tobytes()).decode(), int(bits.size))

    @classmethod
    def from_json(cls, document: Any) -> Self | None:
        """Reads the fields `test_correct` and `test_images` of a mapping; None without them.

        Raises:
            InputError: they are damaged.
        """
        text = document.get("test_correct")
        return None if text is None else cls(text, document.get("test_images"))

    def to_json(self) -> dict[str, Any]:
        """The two fields as JSON values."""
        return {"test_correct": self.text, "test_images": self.examples}

    def bits(self) -> NDArray[np.bool_]:
        """The bits, shape (N,)."""
        return self._unpacked(self._packed())[: self.examples]

    def __repr__(self) -> str:
        return f"Correctness({self.count:,} of {self.examples:,})"

    @property
    def count(self) -> int:
        """Number of right answers."""
        return int(np.count_nonzero(self.bits()))

    def require(self, accuracy: float | None) -> None:
        """Holds the bits against the accuracy beside which they stand.

        Raises:
            InputError: it is another share.
        """
        share = self.count / self.examples
        if accuracy is None or abs(share - accuracy) > 1e-9:
            raise InputError(
                f"test_correct has {self.count} of {self.examples} bits set, test_accuracy is "
                f"{accuracy}"
            )

    def _packed(self) -> NDArray[np.uint8]:
        try:
            return np.frombuffer(base64.b64decode(self.text, validate=True), np.uint8)
        except (binascii.Error, ValueError):
            raise InputError("test_correct is no base64") from None

    @staticmethod
    def _unpacked(packed: NDArray[np.uint8]) -> NDArray[np.bool_]:
        return np.unpackbits(packed).astype(np.bool_)
