"""A study with all that is needed to run it, and to know later what was run."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Self

from cnn_ablation.design import DataSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import InputError, as_typed
from cnn_ablation.study.declaration import Study, Variant
from cnn_ablation.study.document import study_from_json, study_to_json
from cnn_ablation.version import __version__

SCHEMA_VERSION = 1


@dataclasses.dataclass(frozen=True)
class DatasetFacts:
    """What is known of a dataset's images.

    Attributes:
        version: its version in TFDS.
        fingerprint: hash of all images and labels.
    """

    version: str
    fingerprint: str


@dataclasses.dataclass(frozen=True)
class Plan:
    """What `study.json` holds.

    Attributes:
        study: the declaration, its networks made for the dataset's images.
        training: the procedure that variants share, but for what they set themselves.
        data: the images that variants share, likewise.
        dataset_version: their version in TFDS.
        fingerprint: hash of all images and labels.
        lowering: name of the lowering: `native`, `xla` or `banded`.
        seeds: the seeds; every design is trained with each.
        environment: what it runs on, as `environment.describe_environment` says.
        other_datasets: what is known of the images of variants that set fields of the data.
        extensions: digest of the source of each choice that the study's user registered, by
            `sort name`: `activation swish`.
    """

    study: Study
    training: TrainingSpec
    data: DataSpec
    dataset_version: str
    fingerprint: str
    lowering: str
    seeds: tuple[int, ...]
    environment: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    other_datasets: Mapping[DataSpec, DatasetFacts] = dataclasses.field(default_factory=dict)
    extensions: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def _shown(self) -> dict[TrialSpec, list[tuple[str, str]]]:
        """Every design, with the (question name, label) pairs under which the study shows it."""
        shown: dict[TrialSpec, list[tuple[str, str]]] = {}
        for question in self.study.questions:
            for variant in question.variants:
                shown.setdefault(self.spec(variant), []).append((question.name, variant.label))
        return shown

    @property
    def designs(self) -> tuple[TrialSpec, ...]:
        """The distinct designs, in the order of their first appearance."""
        return tuple(self._shown)

    def spec(self, variant: Variant) -> TrialSpec:
        """The whole spec of one variant's trials."""
        return variant.spec(self.training, self.data)

    def label(self, spec: TrialSpec) -> str:
        """One name a design: that under which the study shows it first."""
        return self._shown[spec][0][1]

    def labels(self, spec: TrialSpec) -> list[tuple[str, str]]:
        """The (question name, label) pairs under which the study shows a design."""
        return self._shown.get(spec, [])

    def trials(self) -> Iterator[tuple[TrialSpec, int]]:
        """Every trial: designs in the order of the study, and of each all seeds."""
        for spec in self.designs:
            for seed in self.seeds:
                yield spec, seed

    def dataset_of(self, data: DataSpec) -> DatasetFacts:
        """What is known of the images that a design is trained on."""
        if data == self.data:
            return DatasetFacts(self.dataset_version, self.fingerprint)
        return self.other_datasets[data]

    def trial_id(self, spec: TrialSpec, seed: int) -> str:
        """The trial's content hash."""
        return spec.trial_id(seed, self.dataset_of(spec.data).version)

    def settings(self) -> dict[str, Any]:
        """What all trials in a folder share, by name."""
        return {
            "study": self.study.name,
            **self.training.values(),
            **self.data.values(),
            "dataset version": self.dataset_version,
            "dataset fingerprint": self.fingerprint,
            "conv": self.lowering,
        }

    def differs_from(self, kept: "Plan") -> str | None:
        """The first setting in which this plan differs from one that is kept, in words."""
        own, old = self.settings(), kept.settings()
        for name in dict.fromkeys([*old, *own]):
            if old.get(name) != own.get(name):
                kept_value, value = (as_typed(its.get(name)) or "none" for its in (old, own))
                return f"{name}={kept_value}, not {value}"
        for name, digest in kept.extensions.items():
            if self.extensions.get(name, digest) != digest:
                return f"another definition of the {name}"
        return None

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        document = {
            "schema_version": SCHEMA_VERSION,
            "study": study_to_json(self.study),
            "training": self.training.to_json(),
            "data": self.data.to_json(),
            "dataset_version": self.dataset_version,
            "fingerprint": self.fingerprint,
            "convolution": self.lowering,
            "seeds": list(self.seeds),
            "environment": dict(self.environment),
        }
        if self.other_datasets:
            document["other_datasets"] = [
                {"data": data.to_json(), **dataclasses.asdict(facts)}
                for data, facts in self.other_datasets.items()
            ]
        if self.extensions:
            document["extensions"] = dict(self.extensions)
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Reads what `to_json` of this or an older version wrote.

        Raises:
            InputError: it was written by a newer version.
            KeyError, TypeError, ValueError: it is something else.
        """
        version = document["schema_version"]
        if version != SCHEMA_VERSION:
            newer = isinstance(version, int) and version > SCHEMA_VERSION
            why = f"; version {__version__} of cnn_ablation is older than the file" if newer else ""
            raise InputError(f"schema version {version}: must be {SCHEMA_VERSION}{why}")
        others = {
            DataSpec.from_json(one["data"]): DatasetFacts(one["version"], one["fingerprint"])
            for one in document.get("other_datasets", ())
        }
        return cls(
            study=study_from_json(document["study"]),
            training=TrainingSpec.from_json(document["training"]),
            data=DataSpec.from_json(document["data"]),
            dataset_version=document["dataset_version"],
            fingerprint=document["fingerprint"],
            lowering=document["convolution"],
            seeds=tuple(document["seeds"]),
            environment=document["environment"],
            other_datasets=others,
            extensions=document.get("extensions", {}),
        )


def default_folder(study: str, training: TrainingSpec, data: DataSpec) -> str:
    """Name of a study's folder, the same for the same study and settings."""
    settings = {**training.to_json(), **data.to_json()}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:6]
    epochs = f"{training.epochs}-epoch" + ("s" if training.epochs > 1 else "")
    dataset = data.title.replace("/", "-")
    return f"{study}-{dataset}-rate-{training.learning_rate:g}-{epochs}-{digest}"
