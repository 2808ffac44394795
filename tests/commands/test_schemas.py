"""The published JSON Schemas: those that are generated, and what is written is valid by them."""

import json
import tomllib
from pathlib import Path
from typing import Any

import filled_study
import pytest
from jsonschema import Draft202012Validator

from cnn_ablation.commands.new_study import TEMPLATE
from cnn_ablation.commands.schema import text_of
from cnn_ablation.commands.schemas import schemas

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "docs" / "schemas"
RESULTS = sorted(path.parent for path in (ROOT / "experiments" / "results").rglob("study.json"))
SCHEMAS = schemas()
ASKED: dict[str, Any] = {"name": "s", "question": [{"name": "q", "axes": {"stride": [1, 2]}}]}


def validator(name: str) -> Any:
    return Draft202012Validator(SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_one_is_the_generated_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    published = (PUBLISHED / f"{name}.schema.json").read_text()
    assert published == text_of(SCHEMAS[name]), "run: cnn-ablation schema --out=docs/schemas"


def test_no_other_is_published() -> None:
    assert {path.name for path in PUBLISHED.iterdir()} == {f"{n}.schema.json" for n in SCHEMAS}


@pytest.mark.parametrize("folder", RESULTS, ids=lambda folder: folder.name)
def test_published_studies_are_valid(folder: Path) -> None:
    validator("study").validate(json.loads((folder / "study.json").read_text()))
    check = validator("trial")
    for line in (folder / "trials.jsonl").read_text().splitlines()[::20]:
        check.validate(json.loads(line))


def test_what_a_study_writes_is_valid(tmp_path: Path) -> None:
    filled_study.fill(tmp_path)
    validator("study").validate(json.loads((tmp_path / "study.json").read_text()))
    for line in (tmp_path / "trials.jsonl").read_text().splitlines():
        validator("trial").validate(json.loads(line))


@pytest.mark.parametrize(
    ("key", "value"), [("status", "fine"), ("seed", -1), ("trial_id", "x"), ("epochs", [{}])]
)
def test_a_damaged_trial_is_not_valid(key: str, value: Any, tmp_path: Path) -> None:
    filled_study.fill(tmp_path)
    line = json.loads((tmp_path / "trials.jsonl").read_text().splitlines()[0])
    assert not validator("trial").is_valid({**line, key: value})
    assert not validator("trial").is_valid({k: v for k, v in line.items() if k != key})


def test_a_new_study_is_valid() -> None:
    validator("study_file").validate(tomllib.loads(TEMPLATE.format(name="x")))
    validator("study_file").validate(ASKED)


@pytest.mark.parametrize(
    "change",
    [
        {"titel": "x"},
        {"question": []},
        {"network": {"strid": 2}},
        {"network": {"stride": 0}},
        {"training": {"epochs": 0.5}},
        {"run": {"num_seeds": "many"}},
        {"question": [{"name": "q", "axes": {"pol": [1]}}]},
        {"question": [{"name": "q", "claim": [{"name": "c", "text": "t", "metric": "params"}]}]},
    ],
)
def test_mistakes_in_a_study_are_found(change: dict[str, Any]) -> None:
    assert not validator("study_file").is_valid({**ASKED, **change})
