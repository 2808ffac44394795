"""A trial's whole spec, its identity, and how a stored one is read."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

from cnn_ablation.design.data import DataSpec
from cnn_ablation.design.network import NetworkSpec
from cnn_ablation.design.part import Part
from cnn_ablation.design.training import MAX_SEED, TrainingSpec
from cnn_ablation.errors import FieldError, InputError
from cnn_ablation.options.registry import nearest

PARTS: dict[str, type[Part]] = {
    "network": NetworkSpec,
    "training": TrainingSpec,
    "data": DataSpec,
}


@dataclasses.dataclass(frozen=True)
class TrialSpec:
    """All that decides a trial but its seed: network, training and data."""

    network: NetworkSpec = dataclasses.field(default_factory=NetworkSpec)
    training: TrainingSpec = dataclasses.field(default_factory=TrainingSpec)
    data: DataSpec = dataclasses.field(default_factory=DataSpec)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Network, training and data."""
        return self.network, self.training, self.data

    def values(self) -> dict[str, Any]:
        """Every field's value by name; no two parts share a name."""
        return {name: value for part in self.parts for name, value in part.values().items()}

    def replace(self, **changes: Any) -> Self:
        """The same with other values in some fields of any part.

        Raises:
            InputError: there is no such field, or a value is not allowed.
        """
        found: dict[str, dict[str, Any]] = {name: {} for name in PARTS}
        for name, value in changes.items():
            found[part_of(name)][name] = value
        parts: dict[str, Any] = {
            part.part: part.replace(**found[part.part]) if found[part.part] else part
            for part in self.parts
        }
        return type(self)(**parts)

    def one_epoch(self) -> Self:
        """The same, trained for one epoch alone."""
        return self.replace(epochs=1, warmup=min(self.training.warmup, 1.0))

    def to_json(self) -> dict[str, Any]:
        """The spec as nested dictionaries of JSON values."""
        return {part.part: part.to_json() for part in self.parts}

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Reads what `to_json` of this or an older version wrote.

        Raises:
            InputError: a part or a field is missing or unknown, or a value is not allowed.
        """
        if not isinstance(document, Mapping) or set(document) != set(PARTS):
            has = sorted(document) if isinstance(document, Mapping) else document
            raise InputError(f"spec has parts {has}: must have {sorted(PARTS)}")
        parts: dict[str, Any] = {n: part.from_json(document[n]) for n, part in PARTS.items()}
        return cls(**parts)

    def trial_id(self, seed: int, dataset_version: str) -> str:
        """Content hash that names one trial: 16 hexadecimal digits."""
        content = {"spec": self.to_json(), "seed": seed, "dataset_version": dataset_version}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def part_of(name: str) -> str:
    """The part that has a field of this name.

    Raises:
        InputError: none has; the message names the most similar field.
    """
    for part, spec in PARTS.items():
        if name in spec.every_option():
            return part
    every = sorted(field for spec in PARTS.values() for field in spec.every_option())
    raise InputError(
        f"{name}: not a field of network, training or data{nearest(name, every)}; allowed: "
        f"{', '.join(every)}"
    )


def require_seed(seed: Any) -> None:
    """Refuses what is no seed.

    Raises:
        FieldError: not a whole number from 0 to `MAX_SEED`.
    """
    if not (type(seed) is int and 0 <= seed <= MAX_SEED):
        raise FieldError("seed", seed, f"must be a whole number from 0 to {MAX_SEED}")
