"""A study as JSON, and back: what a workdir keeps so that its results explain themselves."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from cnn_ablation.claims import Claim
from cnn_ablation.design import NetworkSpec
from cnn_ablation.study.declaration import Published, Question, Study, Variant


def study_to_json(study: Study) -> dict[str, Any]:
    """A whole declaration as JSON values: designs, published figures and claims."""
    questions = [_question_to_json(question) for question in study.questions]
    return {"name": study.name, "title": study.title, "questions": questions}


def study_from_json(document: Mapping[str, Any]) -> Study:
    """Reads what `study_to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    questions = tuple(_question_from_json(question) for question in document["questions"])
    return Study(document["name"], document["title"], questions)


def _question_to_json(question: Question) -> dict[str, Any]:
    return {
        "name": question.name,
        "title": question.title,
        "variants": [_variant_to_json(variant) for variant in question.variants],
        "claims": [claim.to_json() for claim in question.claims],
        "reference": None if question.reference is None else question.reference.to_json(),
    }


def _question_from_json(document: Mapping[str, Any]) -> Question:
    reference = document["reference"]
    return Question(
        name=document["name"],
        title=document["title"],
        variants=tuple(_variant_from_json(variant) for variant in document["variants"]),
        claims=tuple(Claim.from_json(claim) for claim in document["claims"]),
        reference=None if reference is None else NetworkSpec.from_json(reference),
    )


def _variant_to_json(variant: Variant) -> dict[str, Any]:
    published = variant.published and json.loads(json.dumps(dataclasses.asdict(variant.published)))
    changes = {"training": dict(variant.training), "data": dict(variant.data)}
    return {
        "label": variant.label,
        "network": variant.network.to_json(),
        "control_of": variant.control_of,
        "published": published,
        # Left out where there are none, as before variants could change them.
        **{part: fields for part, fields in changes.items() if fields},
    }


def _variant_from_json(document: Mapping[str, Any]) -> Variant:
    published = document["published"]
    return Variant(
        label=document["label"],
        network=NetworkSpec.from_json(document["network"]),
        control_of=document["control_of"],
        published=None if published is None else _published_from_json(published),
        training=document.get("training", {}),
        data=document.get("data", {}),
    )


def _published_from_json(document: Mapping[str, Any]) -> Published:
    loss, accuracy = document["test_loss"], document["test_accuracy"]
    return Published(tuple(loss), tuple(accuracy), document["seconds"])
