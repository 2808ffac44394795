"""A study with all that is needed to run it, and to know later what was run."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Self

from cnn_ablation.design.spec import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.study.declaration import Study
from cnn_ablation.study.document import study_from_json, study_to_json

SCHEMA_VERSION = 1


@dataclasses.dataclass(frozen=True)
class StudyPlan:
    """What `study.json` holds.

    Attributes:
        study: the declaration, its networks made for the dataset's images.
        training: the procedure that every design goes through.
        data: the images.
        dataset_version: their version in TFDS.
        fingerprint: hash of all images and labels.
        convolution: the lowering: `native`, `xla` or `banded`.
        seeds: the seeds; every design is trained with each.
        environment: what it runs on, as `environment.describe_environment` tells it.
    """

    study: Study
    training: TrainingSpec
    data: DataSpec
    dataset_version: str
    fingerprint: str
    convolution: str
    seeds: tuple[int, ...]
    environment: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def spec(self, network: NetworkSpec) -> TrialSpec:
        """The whole spec of one design's trials."""
        return TrialSpec(network, self.training, self.data)

    def trials(self) -> Iterator[tuple[NetworkSpec, int]]:
        """Every trial: designs in the order of the study, and of each all seeds."""
        for network in self.study.networks():
            for seed in self.seeds:
                yield network, seed

    def settings(self) -> list[tuple[str, Any]]:
        """What all trials in a folder share, by name: those of two plans can be zipped."""
        return [
            ("study", self.study.name),
            *dataclasses.asdict(self.training).items(),
            *dataclasses.asdict(self.data).items(),
            ("dataset version", self.dataset_version),
            ("dataset fingerprint", self.fingerprint),
            ("conv", self.convolution),
        ]

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "study": study_to_json(self.study),
            "training": dataclasses.asdict(self.training),
            "data": dataclasses.asdict(self.data),
            "dataset_version": self.dataset_version,
            "fingerprint": self.fingerprint,
            "convolution": self.convolution,
            "seeds": list(self.seeds),
            "environment": dict(self.environment),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        if document["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema version {document['schema_version']}: must be 1")
        return cls(
            study=study_from_json(document["study"]),
            training=TrainingSpec(**document["training"]),
            data=DataSpec(**document["data"]),
            dataset_version=document["dataset_version"],
            fingerprint=document["fingerprint"],
            convolution=document["convolution"],
            seeds=tuple(document["seeds"]),
            environment=document["environment"],
        )


def default_folder(study: str, training: TrainingSpec, data: DataSpec) -> str:
    """Name of a study's folder, the same for the same study and settings."""
    settings = {**dataclasses.asdict(training), **dataclasses.asdict(data)}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:6]
    epochs = f"{training.epochs}-epoch" + ("s" if training.epochs > 1 else "")
    return f"{study}-{data.dataset}-rate-{training.learning_rate:g}-{epochs}-{digest}"
