"""A study as JSON, and back: what a workdir keeps so that its results explain themselves."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from cnn_ablation.claims import Claim
from cnn_ablation.design.spec import NetworkSpec
from cnn_ablation.study.declaration import Published, Question, Study, Variant


def network_to_json(network: NetworkSpec) -> dict[str, Any]:
    """A design as JSON values."""
    return json.loads(json.dumps(dataclasses.asdict(network)))


def network_from_json(document: Mapping[str, Any]) -> NetworkSpec:
    """Reads what `network_to_json` wrote."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
    }
    return NetworkSpec(**values)


def study_to_json(study: Study) -> dict[str, Any]:
    """A whole declaration as JSON values: designs, published figures and claims."""
    questions = [_question_to_json(question) for question in study.questions]
    return {"name": study.name, "title": study.title, "questions": questions}


def study_from_json(document: Mapping[str, Any]) -> Study:
    """Reads what `study_to_json` wrote."""
    questions = tuple(_question_from_json(question) for question in document["questions"])
    return Study(document["name"], document["title"], questions)


def _question_to_json(question: Question) -> dict[str, Any]:
    return {
        "name": question.name,
        "title": question.title,
        "variants": [json.loads(json.dumps(dataclasses.asdict(v))) for v in question.variants],
        "claims": [claim.to_json() for claim in question.claims],
        "reference": None if question.reference is None else network_to_json(question.reference),
    }


def _question_from_json(document: Mapping[str, Any]) -> Question:
    reference = document["reference"]
    return Question(
        name=document["name"],
        title=document["title"],
        variants=tuple(_variant_from_json(variant) for variant in document["variants"]),
        claims=tuple(Claim.from_json(claim) for claim in document["claims"]),
        reference=None if reference is None else network_from_json(reference),
    )


def _variant_from_json(document: Mapping[str, Any]) -> Variant:
    published = document["published"]
    return Variant(
        label=document["label"],
        network=network_from_json(document["network"]),
        control_of=document["control_of"],
        published=None if published is None else _published_from_json(published),
    )


def _published_from_json(document: Mapping[str, Any]) -> Published:
    loss, accuracy = document["test_loss"], document["test_accuracy"]
    return Published(tuple(loss), tuple(accuracy), document["seconds"])
