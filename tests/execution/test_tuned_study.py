"""Tuned studies from flags to report: what is refused, trained, and has no part in it."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_study

from cnn_ablation.commands.conclusion import conclude
from cnn_ablation.errors import InputError
from cnn_ablation.execution.arms import arms_of, with_arms
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.session import train_study
from cnn_ablation.study import Study, Tuning
from cnn_ablation.study.arms import arm_names
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.store import load_results

STUDY = small_study.study(4, 6)
RATES = "learning_rate:0.3,1"


def options(**given: Any) -> StudyOptions:
    return StudyOptions.of(**given)


def test_arms_follow_from_options_and_declaration() -> None:
    tuning = Tuning("learning_rate", (0.1, 1.0))
    assert arms_of(options()) == ("params",)
    assert arms_of(options(), tuning) == ("params", "tuned")
    assert arms_of(options(controls=False), tuning) == ("tuned",)
    assert arms_of(options(arms=()), tuning) == ()
    whole, chosen = with_arms(STUDY, options(tune=RATES, tune_seeds=5))
    assert chosen == Tuning("learning_rate", (0.3, 1.0), seeds=5)
    assert arm_names(whole) == ("tuned",), "without a reference nothing can be held equal"
    declared = dataclasses.replace(STUDY, tuning=tuning)
    assert with_arms(declared, options(tune_by="accuracy"))[1] == dataclasses.replace(
        tuning, by="accuracy"
    )
    assert with_arms(declared, options(arms=())) == (declared, None)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"tune": "learning_rate"}, "--tune=learning_rate: must be FIELD:VALUE,VALUE as in"),
        ({"tune": "rate:1,2"}, "--tune=rate:1,2: the field must be a field of the training"),
        ({"tune": "learning_rate:1,x"}, "--tune=learning_rate:1,x: a value of learning_rate must"),
        ({"tune": "learning_rate:1,-1"}, "--tune=learning_rate:1,-1: learning_rate=-1.0: must be"),
        ({"tune": "learning_rate:1"}, "tuning: learning_rate=1.0: must be two values"),
        ({"tune_seeds": 2}, "--tune_seeds=2: means nothing without --tune=FIELD:VALUES"),
        ({"arms": ("tuned",)}, "--arms=tuned: tuned needs --tune=FIELD:VALUES"),
        ({"arms": (), "tune": RATES}, "--arms=none: must have a tuned arm beside --tune=learning"),
        ({"arms": ("compute",)}, "--arms=compute: compute needs a question that names a reference"),
        ({"arms": ("fair",)}, "arms=fair: must be params, compute, tuned, tuned_params or"),
        ({"tune_by": "luck", "tune": RATES}, "tune_by=luck: must be loss or accuracy"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as refusal:
        with_arms(STUDY, options(**given))
    assert str(refusal.value).startswith(says)
    assert "\n" not in str(refusal.value)


def own_images(folder: Path, name: str, *, shuffled: bool) -> Path:
    """Images of two brightnesses, dark and light, told apart in an epoch; of 9x9 pixels."""
    rng = np.random.default_rng(0)

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % 2
        pixels = rng.integers(0, 120, (count, 9, 9)) + 130 * labels[:, None, None]
        return pixels.astype(np.uint8), labels

    (x_train, y_train), (x_test, y_test) = part(120), part(40)
    if shuffled:
        y_test = np.random.default_rng(1).permutation(y_test)
    path = folder / f"{name}.npz"
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


def run(folder: Path, images: Path, **given: Any) -> StudyResults:
    network = small_study.BASE.replace(features=(2,), kernel_size=3)
    (question,) = STUDY.questions
    variants = tuple(
        dataclasses.replace(v, network=network.replace(hidden=v.network.hidden))
        for v in question.variants
    )
    question = dataclasses.replace(question, variants=variants)
    fields: dict[str, Any] = {
        "training": small_study.TRAINING.replace(epochs=1, batch_size=32),
        "data": small_study.DATA.replace(
            dataset=str(images), train_split="train", test_split="test"
        ),
        "seeds": range(2),
        "timing_rounds": 0,
        "executor": "inline",
        "conv": "xla",
        "workdir": str(folder),
        "tune": RATES,
        "tune_seeds": 2,
        "tune_once": True,
        "tune_extensions": 0,
    }
    return train_study(Study("s", "S?", (question,)), options(**fields | given))


def test_nothing_that_tuning_chose_hangs_on_the_labels_of_the_test_images(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {
        name: run(tmp_path / name, own_images(tmp_path, name, shuffled=name == "shuffled"))
        for name in ("as_they_are", "shuffled")
    }
    plain, other = found["as_they_are"].tuning, found["shuffled"].tuning
    assert plain is not None and other is not None
    assert [t.chosen for t in plain.variants] == [t.chosen for t in other.variants]
    for a, b in zip(plain.trials, other.trials, strict=True):
        same = [(e.train_loss, e.test_loss, e.test_accuracy) for e in a.epochs]
        assert same == [(e.train_loss, e.test_loss, e.test_accuracy) for e in b.epochs]
        assert a.test_correct == b.test_correct
        assert a.test_correct is not None and a.test_correct.bits().size == 24, "a fifth of 120"
    ends = [
        [trial.epochs[-1].test_accuracy for trial in results.trials] for results in found.values()
    ]
    assert ends[0] != ends[1], "the labels were shuffled"
    said = capsys.readouterr().out
    assert "2 designs x 2 values x 2 seeds = 8 trials, of which 0 are there" in said
    assert "validation accuracy" in said and "  test accuracy" in said

    # The same command again trains nothing, and the report tells of both.
    again = run(tmp_path / "shuffled", tmp_path / "shuffled.npz")
    assert again.trials == found["shuffled"].trials
    folder = tmp_path / "shuffled"
    lines = (folder / "trials.jsonl").read_text().splitlines()
    assert len(lines) == len(again.trials) + len(other.trials)
    capsys.readouterr()
    assert conclude(load_results(folder), folder, expecting=False) == 0
    assert "tuned    learning_rate chosen of 0.3, 1.0 in 8 trials" in capsys.readouterr().out
    tried = (folder / "report" / "tuning.csv").read_text().splitlines()
    assert len(tried) == 1 + 8
    assert tried[0].startswith("question,variant,field,value,seed,status,validation_loss")
    rows = (folder / "report" / "results.csv").read_text()
    assert "1000000" not in rows and "(tuned)" in rows
    page = (folder / "report" / "report.html").read_text()
    assert 'id="tuning--title"' in page and "chart-tuning" in page
    assert "tune=learning_rate:0.3,1.0" in (folder / "report" / "report.md").read_text()
    ledger = json.loads((folder / "ledger.json").read_text())
    assert ledger["declaration"]["tuning"]["values"] == [0.3, 1.0]
