"""A study as JSON, and back: what a workdir keeps so that its results explain themselves."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from cnn_ablation.claims import Claim
from cnn_ablation.design import NetworkSpec
from cnn_ablation.errors import InputError
from cnn_ablation.study.arms import ARMS
from cnn_ablation.study.controls import PARAMS
from cnn_ablation.study.declaration import LEVEL, Published, Question, Study, Variant
from cnn_ablation.system.stored import get, numbers, optional
from cnn_ablation.training.records import SECONDS


def study_to_json(study: Study) -> dict[str, Any]:
    """A whole declaration as JSON values: designs, published figures and claims."""
    questions = [_question_to_json(question) for question in study.questions]
    document: dict[str, Any] = {"name": study.name, "title": study.title, "questions": questions}
    # Left out where they are as before there were others.
    if study.level != LEVEL:
        document["level"] = study.level
    return document


def study_from_json(document: Mapping[str, Any]) -> Study:
    """Reads what `study_to_json` wrote.

    Raises:
        InputError: it is something else.
    """
    questions = tuple(map(_question_from_json, get(document, "questions", list)))
    level = optional(document, "level", float)
    return Study(
        get(document, "name", str),
        get(document, "title", str),
        questions,
        level=LEVEL if level is None else level,
    )


def _question_to_json(question: Question) -> dict[str, Any]:
    return {
        "name": question.name,
        "title": question.title,
        "variants": [_variant_to_json(variant) for variant in question.variants],
        "claims": [claim.to_json() for claim in question.claims],
        "reference": None if question.reference is None else question.reference.to_json(),
    }


def _question_from_json(document: Any) -> Question:
    reference = optional(document, "reference", dict)
    return Question(
        name=get(document, "name", str),
        title=get(document, "title", str),
        variants=tuple(map(_variant_from_json, get(document, "variants", list))),
        claims=tuple(map(_claim_from_json, get(document, "claims", list))),
        reference=None if reference is None else NetworkSpec.from_json(reference),
    )


def _variant_to_json(variant: Variant) -> dict[str, Any]:
    published = variant.published and _published_to_json(variant.published)
    changes = {"training": dict(variant.training), "data": dict(variant.data)}
    return {
        "label": variant.label,
        "network": variant.network.to_json(),
        "control_of": variant.control_of,
        "published": published,
        # Left out where it goes without saying, as before there were several.
        **({"arm": variant.arm} if variant.arm not in (None, PARAMS) else {}),
        # Left out where there are none, as before variants could change them.
        **{part: fields for part, fields in changes.items() if fields},
    }


def _published_to_json(published: Published) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(published)))
    # As before there were settings.
    if not published.setting:
        del document["setting"]
    return document


def _claim_from_json(document: Any) -> Claim:
    for key in ("name", "question", "text", "metric", "direction", "kind"):
        get(document, key, str)
    for contrast in get(document, "contrasts", list):
        if not isinstance(contrast, list) or len(contrast) != 2:
            raise InputError(f"claim {document['name']}: a contrast must be two labels")
    try:
        return Claim.from_json(document)
    except TypeError as error:
        raise InputError(f"claim {document['name']}: {error}") from None


def _variant_from_json(document: Any) -> Variant:
    published, arm = optional(document, "published", dict), _arm_from_json(document)
    return Variant(
        label=get(document, "label", str),
        network=NetworkSpec.from_json(get(document, "network", dict)),
        control_of=optional(document, "control_of", str),
        arm=arm,
        is_open=arm is not None and ARMS[arm].is_tuned,
        published=None if published is None else _published_from_json(published),
        training=optional(document, "training", dict) or {},
        data=optional(document, "data", dict) or {},
    )


def _arm_from_json(document: Mapping[str, Any]) -> str | None:
    arm = optional(document, "arm", str)
    if arm is not None and arm not in ARMS:
        raise InputError(f"arm {arm!r}: must be {', '.join(ARMS)}")
    return arm


def _published_from_json(document: Mapping[str, Any]) -> Published:
    loss, accuracy = numbers(document, "test_loss"), numbers(document, "test_accuracy")
    seconds = SECONDS.checked("seconds", document.get("seconds"))
    return Published(loss, accuracy, seconds, optional(document, "setting", str) or "")
