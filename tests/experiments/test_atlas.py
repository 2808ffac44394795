"""The atlas: what its page says is what the stored trials say, by another way too."""

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnn_ablation.claims.declared import DeclaredClaim, DeclaredClaims
from cnn_ablation.errors import InputError
from cnn_ablation.execution.arms import with_arms
from cnn_ablation.ingest import Rows, judge_tables
from cnn_ablation.study.checks import check_study
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.resolving import require_tunable
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import schedule_of, setting_of
from cnn_ablation.training.records import TrialRecord
from experiments.atlas import cost, page
from experiments.atlas.__main__ import chosen, listing
from experiments.atlas.entries import ATLAS, entries
from experiments.atlas.states import State, state_of

BITS = ("test_correct", "test_images")


@functools.cache
def states() -> tuple[State, ...]:
    return tuple(map(state_of, entries()))


def begun() -> list[State]:
    return [state for state in states() if state.results is not None]


def test_every_study_can_be_run() -> None:
    names, folders = zip(*((its.name, its.folder) for its in entries()), strict=True)
    assert len(set(names)) == len(set(folders)) == len(names) == 94
    for its in entries():
        check_study(its.study)
        options = its.options()
        study, tuning = with_arms(its.study, options)
        require_tunable(
            Plan(
                study=study,
                training=options.training,
                data=options.data,
                dataset_version="",
                fingerprint="",
                lowering="xla",
                seeds=tuple(options.seeds),
                environment={},
                tuning=tuning,
            )
        )
        assert (tuning is None) == ("tune" not in its.settings)
        assert options.data.dataset == its.dataset


def test_every_folder_is_of_a_study_of_the_atlas() -> None:
    known = {its.folder for its in entries()}
    assert {path.parent for path in ATLAS.rglob("study.json")} <= known


@pytest.mark.parametrize("state", begun(), ids=lambda state: state.entry.name)
def test_what_is_stored_is_what_is_declared(state: State) -> None:
    results, its = state.results, state.entry
    assert results is not None
    options = its.options()
    assert results.training == options.training and results.data == options.data
    first = options.seeds[0]
    assert results.seeds[: len(options.seeds)] == tuple(range(first, first + len(options.seeds)))
    assert (results.plan.schedule is not None) == bool(options.until_decided)
    declared = {variant.label: variant.network for variant in its.study.variants}
    stored = {variant.label: variant.network for variant in results.study.variants}
    assert declared.items() <= stored.items()
    claims = {claim.name for question in its.study.questions for claim in question.claims}
    assert claims <= {c.name for question in results.study.questions for c in question.claims}


def test_the_page_is_what_the_trials_say() -> None:
    text = page.PAGE.read_text()
    assert page.filled(text, page.parts(states())) == text


LEARNT = {
    page.PAGE: ("## What was learnt so far", "## Claims"),
    page.PAGE.parents[1] / "README.md": ("### Any choice", "## One design"),
}


@pytest.mark.parametrize("path", LEARNT, ids=lambda path: path.name)
def test_what_was_learnt_stands_in_the_table(path: Path) -> None:
    text = page.PAGE.read_text()
    begin, end = LEARNT[path]
    learnt = path.read_text().partition(begin)[2].partition(end)[0]
    claims = text.partition("<!-- claims:")[2].partition("<!-- end of claims -->")[0]
    intervals = re.findall(r"\[[-+][\d.]+, [-+][\d.]+\]", learnt)
    assert len(intervals) > 10
    for interval in intervals:
        assert interval in claims
    for points in re.findall(r"(?:by|costs) ([\d.]+) (?:points|and|with)", learnt):
        assert re.search(rf"[-+]{re.escape(points)} \[", claims), points


def as_rows(results: StudyResults, folder: Path) -> Iterator[dict[str, Any]]:
    """What stands in trials.jsonl, a row a variant and seed, by trial ids alone."""
    lines = map(json.loads, (folder / "trials.jsonl").read_text().splitlines())
    stored = {line["trial_id"]: line for line in lines if line["status"] == "completed"}
    plan = results.plan
    for variant in plan.study.variants:
        for seed in variant.at_seeds or plan.seeds:
            spec = plan.spec_at(variant, seed) if variant.at_seeds else plan.spec(variant)
            line = stored.get(spec.trial_id(seed, plan.dataset_version))
            if line is not None:
                bits = {
                    name: line[name] for name in ("test_correct", "test_images") if name in line
                }
                yield {"variant": variant.label, "seed": seed, **line["epochs"][-1], **bits}


def timed_rows(results: StudyResults) -> tuple[dict[str, Any], ...]:
    """The times, of which no atlas claim here is judged, but which share a question's level."""
    plan = results.plan
    return tuple(
        {"variant": variant.label, "round": timing.round, "train_seconds": timing.train_seconds}
        for timing in results.timings
        for variant in plan.study.variants
        if not variant.at_seeds and plan.spec(variant) == timing.spec
    )


def table_of(rows: tuple[dict[str, Any], ...]) -> Rows:
    return Rows("stored", rows, tuple(dict.fromkeys(name for row in rows for name in row)))


@pytest.mark.parametrize(
    "state", [state for state in begun() if state.is_done], ids=lambda state: state.entry.name
)
def test_judge_finds_the_same_verdicts(state: State) -> None:
    results = state.results
    assert results is not None
    # Claims of a question share its level, those that are not judged too.
    claims = tuple(
        DeclaredClaim(c) for question in results.study.questions for c in question.claims
    )
    setting, level = setting_of(results.plan), results.study.level
    declared = DeclaredClaims(claims, setting, level=level, schedule=schedule_of(results.plan))
    found = tuple(as_rows(results, state.entry.folder))
    rows = Rows("trials.jsonl", found, tuple(dict.fromkeys(name for row in found for name in row)))
    timed = (
        [Rows("timings.jsonl", times, tuple(times[0]))] if (times := timed_rows(results)) else []
    )
    judged = {verdict.claim.name: verdict for verdict in judge_tables(declared, [rows, *timed])}
    for verdict in state.verdicts:
        again = judged[verdict.claim.name]
        assert again.outcome == verdict.outcome, verdict.claim.name
        for one, two in zip(verdict.contrasts, again.contrasts, strict=True):
            assert (two.difference, two.interval) == (one.difference, one.interval)


def test_what_it_took_is_added_up() -> None:
    (state,) = (s for s in states() if s.entry.name == "mnist/sequential/pooling")
    assert state.results is not None
    trials: tuple[TrialRecord, ...] = state.trials
    assert cost.seconds([state]) == pytest.approx(
        sum(e.train_seconds + e.eval_seconds for trial in trials for e in trial.epochs)
    )
    assert cost.spared(state.results) == 7 * 60 - 82
    assert 2 < cost.times_keras() < 10


def test_a_pattern_names_studies() -> None:
    assert [its.dataset for its in chosen(["*/choices/head"])] == ["mnist", "fashion_mnist"]
    assert len(chosen([])) == 94
    with pytest.raises(InputError, match=r"--only=heads: no study of the atlas; --list prints"):
        chosen(["heads"])
    assert listing([state_of(its) for its in chosen(["mnist/published"])]).endswith("1 of 1 done")
