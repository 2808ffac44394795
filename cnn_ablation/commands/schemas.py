"""JSON Schemas of the files that are read and written, made from what declares their fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from cnn_ablation.claims.claim import Claim, Direction, Expected, Kind
from cnn_ablation.claims.units import Scale
from cnn_ablation.commands.studies import run_flags
from cnn_ablation.design import MAX_SEED, DataSpec, NetworkSpec, TrainingSpec
from cnn_ablation.design.part import Part
from cnn_ablation.design.trial import PARTS, part_of
from cnn_ablation.inference import SPENDING
from cnn_ablation.inference.crossed import Scope
from cnn_ablation.options import FIRST_VERSION, declared
from cnn_ablation.options.schema import Schema, object_of, schema_of
from cnn_ablation.study import toml_file
from cnn_ablation.study.metrics import METRICS
from cnn_ablation.study.plan import SCHEMA_VERSION
from cnn_ablation.study.tuning import OPTIONS
from cnn_ablation.training.records import EpochRecord, Status

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_OBJECT: Schema = {"type": "object"}
_SEED: Schema = {"type": "integer", "minimum": 0, "maximum": MAX_SEED}
_HEX: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
_CHECKSUM: Schema = {
    **_HEX,
    "description": "first 16 hexadecimal digits of the SHA-256 of all else in the object, as JSON "
    "with sorted keys and no spaces; files of version 0.1 have none",
}
_CHOICES: Mapping[str, Any] = {
    "direction": Direction,
    "kind": Kind,
    "expected": Expected,
    "scope": Scope,
    "scale": Scale,
}
_TYPES = {
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    bool: "boolean",
}


def schemas() -> dict[str, Schema]:
    """Every schema by the name of its file, without its ending."""
    return {
        "study_file": _titled("A study: cnn-ablation study FILE.toml", _study_file()),
        "study": _titled("study.json: a study's declaration, settings and seeds", _study()),
        "trial": _titled("A line of trials.jsonl: one design trained with one seed", _trial()),
        "metrics": _titled("metrics.json: the finished run of one design", _metrics()),
    }


def _titled(title: str, schema: Schema) -> Schema:
    return {"$schema": _DRAFT, "title": title, **schema}


def _object(required: Sequence[str], properties: Schema, *, closed: bool = False) -> Schema:
    found = {"type": "object", "required": list(required), "properties": properties}
    return {**found, "additionalProperties": False} if closed else found


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema, least: int = 0) -> Schema:
    return {"type": "array", "items": items, **({"minItems": least} if least else {})}


def _stored(part: type[Part]) -> Schema:
    """A part of a spec as it is stored: a field at the value of its absence is left out."""
    own = declared(part).items()
    required = [name for name, its in own if its.absent is FIRST_VERSION]
    return object_of(part.every_option(), typed=False, required=required)


def _spec() -> Schema:
    return _object(list(PARTS), {name: _stored(part) for name, part in PARTS.items()})


def _epoch() -> Schema:
    its = {field.name: field.metadata["figure"] for field in dataclasses.fields(EpochRecord)}
    return object_of(its, typed=False, required=list(its))


def _of_trial() -> Schema:
    return {
        "seed": _SEED,
        "status": {"enum": list(get_args(Status))},
        "epochs": _list(_epoch()),
        "test_correct": {
            **_TEXT,
            "contentEncoding": "base64",
            "description": "a bit a test image, whether it was right after the last epoch",
        },
        "test_images": {"type": "integer", "minimum": 1},
    }


def _trial() -> Schema:
    needed = ["trial_id", "variant", "seed", "status", "error", "epochs", "spec"]
    own = {
        "trial_id": {**_HEX, "description": "content hash of spec, seed and dataset version"},
        "dataset_version": _TEXT,
        "variant": _list(_TEXT),
        "error": _nullable(_TEXT),
        "device": _nullable(_TEXT),
        "hardware": _nullable(_OBJECT),
        "git_revision": _nullable(_TEXT),
        "spec": _spec(),
        "checksum": _CHECKSUM,
    }
    return _object(needed, {**own, **_of_trial()})


def _metrics() -> Schema:
    names = ("version", "fingerprint", "train_examples")
    dataset = {"name": _TEXT, "version": _TEXT, "fingerprint": _TEXT}
    # Of the last two the one that says what was evaluated.
    dataset |= dict.fromkeys(("train_examples", "test_examples", "validation_examples"), _COUNT)
    own = {
        "schema_version": {"const": 1},
        "spec": _spec(),
        "dataset": _object(["name", *names], dataset),
        "params": _COUNT,
        "macs": _COUNT,
        "runs": _list(_object(["seed", "status", "epochs"], _of_trial())),
        "times": {
            "type": "object",
            "description": "wall seconds by part",
            "additionalProperties": {"type": "number", "minimum": 0},
        },
        "environment": _OBJECT,
        "checksum": _CHECKSUM,
    }
    return _object([name for name in own if name != "checksum"], own)


def _study() -> Schema:
    published = {
        "test_loss": _list({"type": "number"}),
        "test_accuracy": _list({"type": "number", "minimum": 0, "maximum": 1}),
        "seconds": {"type": "number", "minimum": 0},
    }
    network = _stored(NetworkSpec)
    variant = {
        "label": _TEXT,
        "network": network,
        "control_of": _nullable(_TEXT),
        "arm": _TEXT,
        "published": _nullable(_object(list(published), published)),
        "training": _OBJECT,
        "data": _OBJECT,
    }
    question = {
        "name": _TEXT,
        "title": _TEXT,
        "variants": _list(_object(["label", "network"], variant), 1),
        "claims": _list(_claim_stored()),
        "reference": _nullable(network),
    }
    questions = _list(_object(["name", "title", "variants", "claims"], question), 1)
    own = {
        "schema_version": {"const": SCHEMA_VERSION},
        "study": _object(
            ["name", "title", "questions"],
            {"name": _TEXT, "title": _TEXT, "questions": questions, "level": {"type": "number"}},
        ),
        "training": _stored(TrainingSpec),
        "data": _stored(DataSpec),
        "dataset_version": _TEXT,
        "fingerprint": _TEXT,
        "convolution": _TEXT,
        "seeds": _list(_SEED),
        "environment": _OBJECT,
        "other_datasets": _list(_object(["data", "version", "fingerprint"], {})),
        "extensions": {"type": "object", "additionalProperties": _TEXT},
        "schedule": _object(["looks"], {"looks": _list({"type": "integer", "minimum": 1}, 1)}),
        "tuning": _tuning(),
        "checksum": _CHECKSUM,
    }
    later = ("other_datasets", "extensions", "schedule", "tuning", "checksum")
    return _object([name for name in own if name not in later], own)


def _tuning() -> Schema:
    own = object_of(OPTIONS, typed=False)["properties"]
    fields = {"field": _TEXT, "values": _list({}, 2), **own}
    return _object(["field", "values"], fields, closed=True)


def _claim_stored() -> Schema:
    own = {field.name: dict[str, Any]() for field in dataclasses.fields(Claim)}
    pair = {**_list(_TEXT), "minItems": 2, "maxItems": 2}
    own |= {"name": _TEXT, "question": _TEXT, "text": _TEXT, "metric": {"enum": list(METRICS)}}
    own |= {name: _nullable(_choice(kind)) for name, kind in _CHOICES.items()}
    own |= {
        "contrasts": _list(pair, 1),
        "against": _list(pair),
        "margin": {"type": "number", "minimum": 0},
    }
    own["min_epochs"] = _COUNT
    return _object(["name", "question", "text", "metric", "contrasts", "direction", "kind"], own)


def _choice(kind: Any) -> Schema:
    return {"enum": list(get_args(kind))}


def _study_file() -> Schema:
    every = {
        name: schema_of(its, typed=True)
        for part in PARTS.values()
        for name, its in part.every_option().items()
        if its.flag
    }
    fields: Schema = {name: {"$ref": f"#/$defs/{name}"} for name in every}

    def table(part: type[Part]) -> Schema:
        own = {name: fields[name] for name in part.every_option() if name in fields}
        return _object((), own, closed=True)

    network: Schema = {"$ref": "#/$defs/network"}
    question = {
        **_keys(toml_file.QUESTION),
        "network": network,
        "reference": {"anyOf": [{"type": "boolean"}, network]},
        "axes": {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: _list(its, 1) for name, its in fields.items()},
        },
        "variant": _list(_object(["label"], {"label": _TEXT, **fields}, closed=True)),
        "claim": _list(_claim_typed()),
    }
    needed = toml_file.NEEDED
    run = object_of(run_flags(), typed=True)
    run["properties"]["num_seeds"] = {
        "description": run["properties"]["num_seeds"]["description"],
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": r"^\d+\.\.\d+$"},
        ],
    }
    own = {
        **_keys(toml_file.TOP),
        "looks": _list({"type": "integer", "minimum": 1}),
        "spending": {"enum": list(SPENDING)},
        "level": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "map_over": _object(
            (),
            {name: _list(fields[name], 1) for name in fields if part_of(name) != "network"},
            closed=True,
        ),
        "tuning": _tuning(),
        "network": network,
        "training": table(TrainingSpec),
        "data": table(DataSpec),
        "run": {**run, "additionalProperties": False},
        "question": _list(_object(needed["question"], question, closed=True), 1),
    }
    defs = {"network": table(NetworkSpec), **every}
    return {**_object(needed[""], own, closed=True), "$defs": defs}


def _claim_typed() -> Schema:
    pair = {**_list(_TEXT), "minItems": 2, "maxItems": 2}
    own = {
        **_keys(toml_file.CLAIM),
        "metric": {"enum": list(METRICS)},
        "contrasts": {**_list(pair, 1), "description": "pairs [better, worse] of labels"},
        "against": {**_list(pair, 1), "description": "of each contrast the one taken off it"},
        "order": {**_list(_TEXT, 2), "description": "labels, each better than the next"},
        "margin": {"type": "number", "minimum": 0},
        **{name: _choice(kind) for name, kind in _CHOICES.items()},
    }
    either = [{"required": ["contrasts"]}, {"required": ["order"]}]
    return {**_object(toml_file.NEEDED["claim"], own, closed=True), "oneOf": either}


def _keys(kinds: toml_file.Kinds) -> Schema:
    found: Schema = {}
    for name, several in kinds.items():
        kind = several[0] if isinstance(several, tuple) else several
        found[name] = {"type": _TYPES[kind]}
    return found
