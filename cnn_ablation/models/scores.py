"""Right and wrong answers of a model, by class. No JAX."""

import dataclasses
from typing import Any

import numpy as np

from cnn_ablation.data.checks import checked_labels
from cnn_ablation.display.text import format_table
from cnn_ablation.errors import InputError


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """What a model answered where the right answers are known.

    Attributes:
        labels_N: the right classes.
        predicted_N: the answers.
        confidence_N: the probability that the model gave its answer.
        class_names: the classes by number.
    """

    labels_N: np.ndarray
    predicted_N: np.ndarray
    confidence_N: np.ndarray
    class_names: tuple[str, ...]

    @classmethod
    def of(cls, proba_NK: np.ndarray, labels: Any, class_names: tuple[str, ...]) -> "Scores":
        """Scores of probabilities.

        Raises:
            InputError: the labels are no class numbers, or not as many.
        """
        labels_N = checked_labels(np.asarray(labels), len(proba_NK))
        if int(labels_N.min()) < 0 or int(labels_N.max()) >= len(class_names):
            raise InputError(
                f"labels: are {labels_N.min()} to {labels_N.max()}; must be 0 to "
                f"{len(class_names) - 1}, the model's classes"
            )
        predicted_N = proba_NK.argmax(axis=-1).astype(np.int32)
        return cls(labels_N, predicted_N, proba_NK.max(axis=-1), class_names)

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(np.mean(self.labels_N == self.predicted_N))

    @property
    def confusion(self) -> np.ndarray:
        """Images of each class (rows) by what was answered (columns), (K, K)."""
        count = len(self.class_names)
        pairs_N = self.labels_N.astype(np.int64) * count + self.predicted_N
        return np.bincount(pairs_N, minlength=count * count).reshape(count, count)

    @property
    def accuracy_by_class(self) -> dict[str, float]:
        """Share of right answers among the images of each class that has any."""
        table_KK = self.confusion
        return {
            name: float(table_KK[k, k] / table_KK[k].sum())
            for k, name in enumerate(self.class_names)
            if table_KK[k].sum()
        }

    @property
    def wrong(self) -> np.ndarray:
        """Which images were answered wrongly, the most confident answers first."""
        wrong_M = np.flatnonzero(self.labels_N != self.predicted_N)
        return wrong_M[np.argsort(-self.confidence_N[wrong_M], kind="stable")]

    def table(self) -> str:
        """A row a class: images, right answers, and what it is most often taken for."""
        table_KK, rows = self.confusion, [("class", "images", "right", "mostly taken for")]
        for k, name in enumerate(self.class_names):
            total, others_K = int(table_KK[k].sum()), table_KK[k].copy()
            others_K[k] = 0
            worst = int(others_K.argmax())
            taken = f"{self.class_names[worst]} ({others_K[worst]})" if others_K[worst] else "-"
            share = f"{table_KK[k, k] / total:.1%}" if total else "-"
            rows.append((name, str(total), share, taken))
        right = int(np.trace(table_KK))
        rows.append(("all", str(len(self.labels_N)), f"{right / len(self.labels_N):.2%}", ""))
        return format_table(rows)

    def __repr__(self) -> str:
        return f"Scores({len(self.labels_N):,} images, {self.accuracy:.2%} right)"
