"""A study with all that is needed to run it, and to know later what was run."""

import dataclasses
import functools
import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Self

from cnn_ablation.design import DataSpec, TrainingSpec, TrialSpec, require_seed
from cnn_ablation.errors import InputError, as_typed
from cnn_ablation.inference import SequentialDesign
from cnn_ablation.study.declaration import Study, Variant
from cnn_ablation.study.document import study_from_json, study_to_json
from cnn_ablation.study.tuning import Tuning
from cnn_ablation.system.stored import get, optional
from cnn_ablation.version import __version__

SCHEMA_VERSION = 1
# All keys of plans from before there were checksums.
OLDER_PLAN = (
    *("schema_version", "study", "training", "data", "dataset_version", "fingerprint"),
    *("convolution", "seeds", "environment", "other_datasets", "extensions"),
)


Trial = tuple[TrialSpec, int]
"""A design and a seed."""


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
        lowering: name of the lowering: `native`, `direct`, `xla` or `banded`.
        seeds: the seeds; every design is trained with each, in a sequential study with as many of
            them, from the first on, as its claims need.
        environment: what it runs on, as `environment.describe_environment` says.
        other_datasets: what is known of the images of variants that set fields of the data.
        extensions: digest of the source of each choice that the study's user registered, by
            `sort name`: `activation swish`.
        schedule: the looks of a sequential study; None in a study of fixed size.
        tuning: how the variants of tuned arms are tuned; None where there is no such arm.
        tried: the designs of tuning so far, each with the question and label under which it is
            shown; empty in a plan as it is declared (see `resolving`).
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
    schedule: SequentialDesign | None = None
    tuning: Tuning | None = None
    tried: Mapping[TrialSpec, list[tuple[str, str]]] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def _shown(self) -> dict[TrialSpec, list[tuple[str, str]]]:
        """Every design, with the (question name, label) pairs under which the study shows it."""
        shown: dict[TrialSpec, list[tuple[str, str]]] = {}
        for place, variant in self._places:
            for spec in self.specs(variant):
                shown.setdefault(spec, []).append(place)
        return shown

    @property
    def _places(self) -> Iterator[tuple[tuple[str, str], Variant]]:
        """Every variant that is not open, with its question's name and its label."""
        for question in self.study.questions:
            for variant in question.variants:
                if not variant.is_open:
                    yield (question.name, variant.label), variant

    @functools.cached_property
    def _at_seeds(self) -> dict[tuple[TrialSpec, int], list[tuple[str, str]]]:
        """Trials of variants that have another design at each seed, with their places."""
        found: dict[tuple[TrialSpec, int], list[tuple[str, str]]] = {}
        for place, variant in self._places:
            for seed in variant.at_seeds:
                found.setdefault((self.spec_at(variant, seed), seed), []).append(place)
        return found

    @functools.cached_property
    def same_at_all_seeds(self) -> frozenset[TrialSpec]:
        """The designs of variants that have one design, whatever the seed."""
        return frozenset(self.spec(v) for _, v in self._places if not v.at_seeds)

    @property
    def designs(self) -> tuple[TrialSpec, ...]:
        """The distinct designs, in the order of their first appearance; of tuning there are none.

        A variant that is not tuned yet has none either.
        """
        return tuple(self._shown)

    def spec(self, variant: Variant) -> TrialSpec:
        """The whole spec of one variant's trials; of an open one that which it is tuned from."""
        return variant.spec(self.training, self.data)

    def spec_at(self, variant: Variant, seed: int) -> TrialSpec:
        """The whole spec of one variant's trial at a seed."""
        own = variant.at_seeds.get(seed)
        spec = self.spec(variant)
        return spec if own is None else spec.replace(**own)

    def specs(self, variant: Variant) -> tuple[TrialSpec, ...]:
        """The distinct specs of one variant's trials: one, unless each seed is tuned by itself."""
        if not variant.at_seeds:
            return (self.spec(variant),)
        return tuple(dict.fromkeys(self.spec_at(variant, seed) for seed in variant.at_seeds))

    def label(self, spec: TrialSpec) -> str:
        """One name a design: that under which the study shows it first."""
        return (self._shown.get(spec) or self.tried[spec])[0][1]

    def labels(self, spec: TrialSpec, seed: int | None = None) -> list[tuple[str, str]]:
        """The (question name, label) pairs under which the study shows a design, or its trial.

        A variant that has another design at each seed is shown at each by the design that it has
        there; without a seed it is shown by the first of them alone.

        Args:
            spec: the design.
            seed: of the trial; None asks for the design.
        """
        found = []
        for place, first, has_others in self._firsts:
            if has_others and seed is not None:
                is_there = place in self._at_seeds.get((spec, seed), ())
            else:
                is_there = first == spec
            found += [place] if is_there else []
        return found or self.tried.get(spec, [])

    @functools.cached_property
    def _firsts(self) -> list[tuple[tuple[str, str], TrialSpec, bool]]:
        """Every place with its first design, and whether it has others at other seeds."""
        return [(place, self.specs(v)[0], bool(v.at_seeds)) for place, v in self._places]

    @property
    def open_variants(self) -> tuple[Variant, ...]:
        """The variants that are not tuned yet."""
        return tuple(variant for variant in self.study.variants if variant.is_open)

    @property
    def untuned(self) -> tuple[TrialSpec, ...]:
        """The designs that tuned variants are tuned from, as far as they are not tuned yet."""
        return tuple(dict.fromkeys(self.spec(variant) for variant in self.open_variants))

    def all_labels(self, spec: TrialSpec, seed: int | None = None) -> str:
        """All that a design is called, in one text: `kernel_size: k3,3; stride: s1`."""
        return "; ".join(f"{question}: {label}" for question, label in self.labels(spec, seed))

    def trials(self) -> Iterator[Trial]:
        """Every trial: designs in the order of the study, and of each all seeds."""
        for spec in self.designs:
            every = spec in self.same_at_all_seeds
            for seed in self.seeds:
                if every or (spec, seed) in self._at_seeds:
                    yield spec, seed

    def dataset_of(self, data: DataSpec) -> DatasetFacts:
        """What is known of the images that a design is trained on."""
        if data == self.data:
            return DatasetFacts(self.dataset_version, self.fingerprint)
        if data.validation and data not in self.other_datasets:
            # What is held out follows from the images that are known.
            return self.dataset_of(data.replace(validation=0.0))
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
        if self.schedule is not None:
            document["schedule"] = self.schedule.to_json()
        if self.tuning is not None:
            document["tuning"] = self.tuning.to_json()
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Reads what `to_json` of this or an older version wrote.

        Raises:
            InputError: it was written by a newer version, or is something else.
        """
        version = document.get("schema_version")
        if version != SCHEMA_VERSION:
            newer = isinstance(version, int) and version > SCHEMA_VERSION
            why = f"; version {__version__} of cnn_ablation is older than the file" if newer else ""
            raise InputError(f"schema version {version}: must be {SCHEMA_VERSION}{why}")
        schedule, tuning = (optional(document, name, dict) for name in ("schedule", "tuning"))
        others = {
            DataSpec.from_json(get(one, "data", dict)): DatasetFacts(
                get(one, "version", str), get(one, "fingerprint", str)
            )
            for one in optional(document, "other_datasets", list) or ()
        }
        plan = cls(
            study=study_from_json(get(document, "study", dict)),
            training=TrainingSpec.from_json(get(document, "training", dict)),
            data=DataSpec.from_json(get(document, "data", dict)),
            dataset_version=get(document, "dataset_version", str),
            fingerprint=get(document, "fingerprint", str),
            lowering=get(document, "convolution", str),
            seeds=tuple(get(document, "seeds", list)),
            environment=get(document, "environment", dict),
            other_datasets=others,
            extensions=optional(document, "extensions", dict) or {},
            schedule=SequentialDesign.from_json(schedule) if schedule else None,
            tuning=Tuning.from_json(tuning) if tuning else None,
        )
        _require_sense(plan)
        return plan


def default_folder(study: str, training: TrainingSpec, data: DataSpec) -> str:
    """Name of a study's folder, the same for the same study and settings."""
    settings = {**training.to_json(), **data.to_json()}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:6]
    epochs = f"{training.epochs}-epoch" + ("s" if training.epochs > 1 else "")
    dataset = data.title.replace("/", "-")
    return f"{study}-{dataset}-rate-{training.learning_rate:g}-{epochs}-{digest}"


def _require_sense(plan: Plan) -> None:
    """Refuses a stored plan that could not be run, judged or reported.

    Raises:
        InputError: a seed, a design or what it ran on is not as it must be.
    """
    for seed in plan.seeds:
        require_seed(seed)
    if len(set(plan.seeds)) < len(plan.seeds):
        raise InputError("seeds: one stands twice")
    for name in ("device", "program", "git_revision"):
        optional(plan.environment, name, str)
    try:
        shlex.split(plan.environment.get("program") or "")
    except ValueError as error:
        raise InputError(f"program: {error}") from None
    for name, digest in plan.extensions.items():
        if not isinstance(digest, str):
            raise InputError(f"extensions: {name} must be a text")
    if plan.schedule is not None and plan.schedule.most_units != len(plan.seeds):
        raise InputError("schedule: its last look must be at all seeds")
    for spec in plan.designs:
        if spec.data != plan.data and spec.data not in plan.other_datasets:
            raise InputError(f"other_datasets: {spec.data.dataset} is not there")
