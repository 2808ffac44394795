"""What was declared before the first trial, and what is exploratory since."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import small_study

from cnn_ablation.claims import Claim
from cnn_ablation.design import TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.inference import SequentialDesign
from cnn_ablation.study import Question, Study, one_axis
from cnn_ablation.study.ledger import JUDGEMENTS, LEDGER, read_ledger
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.results import Timing
from cnn_ablation.study.store import STUDY, Store, load_results
from cnn_ablation.study.verdicts import judge_results, why_exploratory
from cnn_ablation.training.records import EpochRecord, TrialRecord

SLOWER = Claim("slower", "width", "wider is slower", "train_seconds", (("hidden=6", "hidden=4"),))
SLOWER = dataclasses.replace(SLOWER, kind="timing")


def plan(seeds: int = 6, **changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "study": study(),
        "training": small_study.TRAINING,
        "data": small_study.DATA,
        "dataset_version": "3.0.1",
        "fingerprint": "0123",
        "lowering": "xla",
        "seeds": tuple(range(seeds)),
        "environment": {"device": "cpu"},
    }
    return Plan(**fields | changes)


def study(*claims: Claim) -> Study:
    variants = one_axis(small_study.BASE, "hidden", (4, 6))
    own = claims or (small_study.BETTER, SLOWER)
    return Study("small", "Width?", (Question("width", "Width", variants, own),))


def changed(**fields: Any) -> Plan:
    return plan(study=study(dataclasses.replace(small_study.BETTER, **fields), SLOWER))


def trial(spec: TrialSpec, seed: int) -> TrialRecord:
    accuracy = 0.5 + 0.01 * seed + 0.01 * spec.network.hidden_layers[0]
    epochs = tuple(EpochRecord(n, 1.0, 0.5, 1.0, accuracy, 1.0, 0.1) for n in (1, 2))
    return TrialRecord(spec, seed, "completed", epochs)


def fill(folder: Path, of: Plan, rounds: int | None = 3) -> None:
    with Store(folder, of, rounds=rounds) as store:
        there = {(t.spec, t.seed) for t in store.results().trials}
        for spec, seed in of.trials():
            if (spec, seed) not in there:
                store.add_trial(trial(spec, seed))


def reasons(folder: Path, of: Plan) -> list[tuple[str, ...]]:
    with Store(folder, of):
        pass
    return why_exploratory(load_results(folder))


def test_what_stands_before_the_first_trial_is_hashed_and_stays(tmp_path: Path) -> None:
    fill(tmp_path, plan())
    before = (tmp_path / LEDGER).read_bytes()
    ledger = read_ledger(tmp_path)
    assert ledger is not None
    assert not ledger.late
    assert ledger.declaration.rounds == 3
    assert ledger.to_json() == json.loads(before)
    assert reasons(tmp_path, plan()) == [(), ()]
    assert reasons(tmp_path, changed(margin=0.5))[0] != ()
    assert (tmp_path / LEDGER).read_bytes() == before


def test_until_there_is_a_trial_the_declaration_may_change(tmp_path: Path) -> None:
    for of in (plan(), changed(margin=0.5)):
        with Store(tmp_path, of):
            pass
    fill(tmp_path, changed(margin=0.5))
    assert reasons(tmp_path, changed(margin=0.5)) == [(), ()]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"margin": 0.01}, "its margin was changed since: 0.01, where 0.001 was declared"),
        ({"direction": "smaller"}, "its direction was changed since"),
        ({"metric": "test_loss", "margin": 0.001}, "its metric was changed since"),
        ({"contrasts": (("hidden=4", "hidden=6"),)}, "its contrasts was changed since: others"),
        ({"scope": "benchmark"}, "its scope was changed since: benchmark, where None"),
        ({"name": "other"}, "it was not declared before the first trial"),
    ],
)
def test_a_claim_that_changes_is_exploratory(
    tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    fill(tmp_path, plan())
    first, second = reasons(tmp_path, changed(**fields))
    assert first[0].startswith(reason)
    # What left its family passes its level on to the other; a new name leaves it as it is.
    dropped = ("another claim of its family was changed or dropped since",)
    assert second == (() if "name" in fields else dropped)


def test_words_and_expectations_may_change(tmp_path: Path) -> None:
    fill(tmp_path, plan())
    assert reasons(tmp_path, changed(text="better", expected="holds")) == [(), ()]


def test_more_seeds_than_were_declared_are_exploratory(tmp_path: Path) -> None:
    fill(tmp_path, plan())
    assert reasons(tmp_path, plan(9)) == [("9 seeds, where 6 were declared",), ()]
    verdict, _ = judge_results(load_results(tmp_path))
    assert verdict.qualifiers == ("exploratory",)
    assert "(exploratory)" in verdict.sentence()
    assert "no test of what was declared: 9 seeds, where 6 were declared." in verdict.sentence()
    assert reasons(tmp_path, plan(4))[0] == ("4 seeds, where 6 were declared",)


def test_looks_that_come_later_are_exploratory(tmp_path: Path) -> None:
    fill(tmp_path, plan())
    sequential = plan(12, schedule=SequentialDesign((6, 12)))
    (found,), other = reasons(tmp_path, sequential)
    assert found == (
        "looks at 6, 12 seeds (linear spending), where 6 seeds without looks were declared"
    )
    assert other == ()


def test_more_rounds_than_were_declared_are_exploratory(tmp_path: Path) -> None:
    fill(tmp_path, plan(), rounds=2)
    with Store(tmp_path, plan()) as store:
        for number in (1, 2, 3):
            times = [Timing(spec, number, 1.0, 0.1) for spec in plan().designs]
            store.add_round(times, {"node": "a"})
    assert reasons(tmp_path, plan()) == [(), ("3 rounds, where 2 were declared",)]


def test_a_folder_from_before_there_were_ledgers_gets_one_from_its_plan(tmp_path: Path) -> None:
    fill(tmp_path, plan())
    (tmp_path / LEDGER).unlink()
    assert why_exploratory(load_results(tmp_path)) == [(), ()]
    assert reasons(tmp_path, plan(9))[0] == ("9 seeds, where 6 were declared",)
    ledger = read_ledger(tmp_path)
    assert ledger is not None
    assert ledger.late


def test_a_study_without_claims_declares_nothing(tmp_path: Path) -> None:
    variants = one_axis(small_study.BASE, "hidden", (4,))
    silent = Study("small", "Width?", (Question("width", "Width", variants),))
    fill(tmp_path, plan(study=silent))
    assert not (tmp_path / LEDGER).exists()
    assert reasons(tmp_path, plan())[0] == ("it was not declared before the first trial",)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace('"margin": 0.001', '"margin": 0.002'),
        lambda text: text[:100],
        lambda text: text.replace('"claims"', '"other"'),
        lambda text: "[]",
    ],
)
def test_a_ledger_that_was_altered_is_refused(tmp_path: Path, damage: Any) -> None:
    fill(tmp_path, plan())
    path = tmp_path / LEDGER
    path.write_text(damage(path.read_text()))
    with pytest.raises(InputError, match=r"ledger\.json: (was altered|is damaged)"):
        load_results(tmp_path)


def test_judgements_are_recorded_with_their_time(tmp_path: Path) -> None:
    fill(tmp_path, plan())
    with Store(tmp_path, plan(), rounds=3) as store:
        for _ in range(2):
            store.record_judgement(judge_results(store.results()))
    lines = [json.loads(line) for line in (tmp_path / JUDGEMENTS).read_text().splitlines()]
    ledger = read_ledger(tmp_path)
    assert ledger is not None
    assert [line["declaration"] for line in lines] == [ledger.declaration.digest] * 2
    assert lines[0]["trials"] == 12
    assert lines[0]["verdicts"] == {"width: better": "inconclusive", "width: slower": "not judged"}
    assert lines[0]["time"].endswith("+00:00")


def test_the_plan_keeps_its_looks(tmp_path: Path) -> None:
    sequential = plan(12, schedule=SequentialDesign((6, 12), spending="cubic"))
    assert Plan.from_json(json.loads(json.dumps(sequential.to_json()))) == sequential
    assert "schedule" not in plan().to_json()
    with Store(tmp_path, plan()):
        assert "schedule" not in json.loads((tmp_path / STUDY).read_text())
