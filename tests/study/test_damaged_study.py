"""A study's files after any damage: refused in one line or set aside, never believed, never lost.

`pytest -m search tests/study/test_damaged_study.py` damages 6,000 files.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import damage
import pytest
import tally
from filled_study import ALL, MACHINE, PLAN, fill, times
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnn_ablation.errors import InputError
from cnn_ablation.study.journal import DAMAGED
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.store import STUDY, TIMINGS, TRIALS, Store, load_results
from cnn_ablation.system.stored import CHECKSUM, seal

FILES = (STUDY, TRIALS, TIMINGS)
RESULTS = Path(__file__).parents[2] / "experiments" / "results"
QUICK = settings(
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LONG = settings(QUICK, max_examples=2000)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    fill(folder)
    with Store(folder, PLAN) as store:
        store.add_round(times(1.0, *PLAN.designs), MACHINE)
        store.add_round(times(2.0, *PLAN.designs), MACHINE)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # What a crash of the machine would do is not looked at here, and waiting for disks is slow.
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    return tmp_path / "study"


def refill(folder: Path, sound: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in FILES:
        shutil.copy(sound / name, folder)


def outcome(look: Callable[[], StudyResults]) -> tuple[str, StudyResults | None]:
    try:
        return "read", look()
    except InputError as error:
        (line,) = str(error).splitlines()
        assert line and line.isprintable()
        return "refused in one line", None


def reopened(folder: Path) -> StudyResults:
    with Store(folder, PLAN) as store:
        assert all(line.isprintable() for line in store.repairs)
        return store.results()


def require_sense(results: StudyResults | None) -> None:
    """Whatever is read is of the plan and in range."""
    for trial in results.trials if results else ():
        assert trial.seed in results.seeds and trial.spec in results.plan.designs  # type: ignore[union-attr]
        assert [epoch.epoch for epoch in trial.epochs] == [1, 2][: len(trial.epochs)]
        assert all(0 <= epoch.test_accuracy <= 1 for epoch in trial.epochs)


def damage_bytes(data: st.DataObject, folder: Path, sound: Path) -> None:
    name = data.draw(st.sampled_from(FILES))
    kind, content = data.draw(damage.damaged_bytes((sound / name).read_bytes()))
    refill(folder, sound)
    (folder / name).write_bytes(content)
    rounds = load_results(sound).timings
    for look in (lambda: load_results(folder), lambda: reopened(folder)):
        said, results = outcome(look)
        for trial in results.trials if results else ():
            assert trial in ALL, "a damaged trial is believed"
        # Where a round is gone, the others count from 1.
        seconds = {(time.spec, time.train_seconds, time.eval_seconds) for time in rounds}
        for time in results.timings if results else ():
            assert (time.spec, time.train_seconds, time.eval_seconds) in seconds
        if results is not None and name == STUDY:
            assert results.plan == PLAN
        kept = folder.joinpath(name + DAMAGED)
        aside = kept.read_bytes() if kept.exists() else b""
    tally.note(name, kind, "line set aside" if aside else said)
    if name != STUDY:
        left = (folder / name).read_bytes().splitlines() + aside.split(b"\n")
        assert set(content.split(b"\n")) - {b""} <= set(left), "a line is lost"


def twist(data: st.DataObject, folder: Path, sound: Path, *, sealed: bool) -> None:
    name = data.draw(st.sampled_from(FILES))
    documents = [json.loads(line) for line in _objects((sound / name).read_bytes(), name)]
    number = data.draw(st.integers(0, len(documents) - 1))
    for document in documents:
        del document[CHECKSUM]
        if not sealed:
            document.pop("dataset_version", None) if name == TRIALS else None
    kind, documents[number] = data.draw(damage.twisted(documents[number]))
    refill(folder, sound)
    lines = [damage.as_line(seal(one) if sealed else one) for one in documents]
    (folder / name).write_bytes(b"".join(lines))
    for look in (lambda: load_results(folder), lambda: reopened(folder)):
        said, results = outcome(look)
        require_sense(results)
        for trial in results.trials if results else ():
            # What was left whole is what it was; of the twisted line, its id names the trial.
            same = [one for one in ALL if (one.spec, one.seed) == (trial.spec, trial.seed)]
            assert same
    how = "checksum right" if sealed else "no checksum"
    aside = (folder / f"{name}{DAMAGED}").exists()
    tally.note(name, f"{kind} ({how})", "line set aside" if aside else said)


def _objects(content: bytes, name: str) -> list[bytes]:
    return [content] if name == STUDY else content.splitlines()


@QUICK
@given(data=st.data())
def test_damaged_bytes_are_not_believed_and_nothing_is_lost(
    data: st.DataObject, folder: Path, sound: Path
) -> None:
    damage_bytes(data, folder, sound)


@pytest.mark.parametrize("sealed", [True, False])
@QUICK
@given(data=st.data())
def test_wrong_values_are_one_line(
    data: st.DataObject, folder: Path, sound: Path, *, sealed: bool
) -> None:
    twist(data, folder, sound, sealed=sealed)


@pytest.mark.search
@LONG
@given(data=st.data())
def test_thousands_of_damaged_files(data: st.DataObject, folder: Path, sound: Path) -> None:
    damage_bytes(data, folder, sound)


@pytest.mark.search
@pytest.mark.parametrize("sealed", [True, False])
@LONG
@given(data=st.data())
def test_thousands_of_wrong_values(
    data: st.DataObject, folder: Path, sound: Path, *, sealed: bool
) -> None:
    twist(data, folder, sound, sealed=sealed)


def altered(**changes: Any) -> bytes:
    line = json.loads((RESULTS / "as_published" / TRIALS).read_bytes().splitlines()[2])
    if "epoch" in changes:
        line["epochs"][0].update(changes.pop("epoch"))
    return damage.as_line({**line, **changes})


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (altered(trial_id="0123456789abcdef"), "its trial_id 0123456789abcdef is not that of"),
        (altered(seed=17), "its trial_id [0-9a-f]{16} is not that of its spec and seed"),
        (altered(status="diverged"), "2 epochs of 2 do not fit status diverged"),
        (altered(status="finished"), "status 'finished': must be completed, diverged, failed"),
        (altered(epoch={"test_accuracy": 7}), "test_accuracy=7: must be a number from 0 to 1"),
        (altered(epoch={"test_loss": 10**400}), "test_loss=1000"),
        (altered(epoch={"epoch": 2}), "epochs: must be numbered from 1"),
        (altered(epochs=[]), "0 epochs of 2 do not fit status completed"),
        (altered(error="why"), "error 'why' does not fit status completed"),
        (altered(checksun="0"), "it has no checksum and the unknown key checksun"),
        (altered(checksum="0123456789abcdef"), "its checksum is not that of its content"),
        (altered(epoch={"test_loss": float("nan")}), "not JSON: NaN is no number"),
        (b'{"trial_id": ' + b"[" * 100_000 + b"\n", "nested too deeply"),
        (b'{"trial_id": "\xff"}\n', "not JSON: 'utf-8' codec can't decode byte 0xff"),
        (b'{"seed": 1, "seed": 2}\n', "a key stands twice"),
        (b"\0\0\0\n", "not JSON: "),
        (b"[]\n", "not a JSON object"),
    ],
)
def test_an_altered_line_of_a_published_study_is_named_with_the_reason(
    line: bytes, why: str, tmp_path: Path
) -> None:
    shutil.copytree(RESULTS / "as_published", tmp_path, dirs_exist_ok=True)
    lines = (tmp_path / TRIALS).read_bytes().splitlines(keepends=True)
    (tmp_path / TRIALS).write_bytes(b"".join([*lines[:2], line, *lines[3:]]))
    with pytest.raises(InputError, match=rf"trials.jsonl: line 3 is damaged \(.*({why})") as error:
        load_results(tmp_path)
    assert str(error.value).isprintable()


def test_a_line_without_a_checksum_among_those_that_have_one_is_read(
    folder: Path, sound: Path
) -> None:
    refill(folder, sound)
    lines = [json.loads(line) for line in (folder / TRIALS).read_bytes().splitlines()]
    for key in (CHECKSUM, "dataset_version", "hardware"):
        del lines[0][key]
    lines[1]["of_a_later_version"] = "/w=="
    del lines[1][CHECKSUM]
    lines[1] = seal(lines[1])
    (folder / TRIALS).write_bytes(b"".join(map(damage.as_line, lines)))
    assert load_results(folder).trials == tuple(ALL)
