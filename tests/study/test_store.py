"""The study's store: what a kill, a second process, a full disk and a stranger's hand do to it."""

import dataclasses
import json
import os
from pathlib import Path

import pytest
import small_study
from filled_study import ALL, MACHINE, OTHER_MACHINE, PLAN, fill, times, trial
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cnn_ablation.errors import InputError
from cnn_ablation.study.plan import default_folder
from cnn_ablation.study.store import STUDY, TIMINGS, TRIALS, Store, load_results


def test_what_is_stored_is_read_back_in_the_order_of_the_study(tmp_path: Path) -> None:
    assert fill(tmp_path, ALL[::-1]).trials == tuple(ALL)
    read = load_results(tmp_path)
    assert read.trials == tuple(ALL)
    assert (read.study, read.training, read.data) == (PLAN.study, PLAN.training, PLAN.data)
    assert (read.seeds, read.environment) == (PLAN.seeds, PLAN.environment)


def test_a_line_says_what_it_is_of(tmp_path: Path) -> None:
    fill(tmp_path, ALL[:1])
    line = json.loads((tmp_path / TRIALS).read_text())
    assert line["variant"] == ["width: hidden=4"]
    assert (line["seed"], line["status"], line["trial_id"]) == (
        0,
        "completed",
        PLAN.trial_id(ALL[0].spec, 0),
    )
    assert line["spec"] == ALL[0].spec.to_json()
    assert [epoch["epoch"] for epoch in line["epochs"]] == [1, 2]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1))
@example(share=0.4995263433906102)  # behind a brace inside a line
def test_a_file_cut_anywhere_loses_only_its_last_line(
    share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    fill(folder)
    whole = (folder / TRIALS).read_bytes()
    cut = whole[: round(share * len(whole))]
    (folder / TRIALS).write_bytes(cut)
    # What lacks nothing but its end of line is whole.
    ends = [at for at, byte in enumerate(whole) if byte == ord("\n")]
    kept = sum(end <= len(cut) for end in ends)
    assert load_results(folder).trials == tuple(ALL[:kept])
    assert (folder / TRIALS).read_bytes() == cut, "reading must not write"
    with Store(folder, PLAN) as store:
        assert store.results().trials == tuple(ALL[:kept])
        torn = bool(cut) and not cut.endswith(b"\n")
        assert len(store.repairs) == torn
        for one in ALL[kept:]:
            store.add_trial(one)
    assert (folder / TRIALS).read_bytes() == whole


def test_a_whole_line_that_lacks_its_end_is_kept_and_ended(tmp_path: Path) -> None:
    fill(tmp_path, ALL[:2])
    whole = (tmp_path / TRIALS).read_bytes()
    (tmp_path / TRIALS).write_bytes(whole[:-1])
    assert fill(tmp_path, ALL[2:3]).trials == tuple(ALL[:3])
    assert (tmp_path / TRIALS).read_bytes().startswith(whole)
    assert load_results(tmp_path).trials == tuple(ALL[:3])


def test_a_torn_line_is_told_of(tmp_path: Path) -> None:
    fill(tmp_path)
    with (tmp_path / TRIALS).open("ab") as file:
        file.write(b'{"trial_id": "12')
    with Store(tmp_path, PLAN) as store:
        (said,) = store.repairs
    assert said.startswith(f"{tmp_path / TRIALS}: line 7 was torn")
    assert (tmp_path / f"{TRIALS}.damaged").read_bytes() == b'{"trial_id": "12\n'


def test_a_damaged_line_is_named_and_set_aside_and_its_trial_missing(tmp_path: Path) -> None:
    fill(tmp_path)
    whole = (tmp_path / TRIALS).read_bytes()
    lines = whole.splitlines(keepends=True)
    damaged = lines[2].replace(b"completed", b"diverged ")
    (tmp_path / TRIALS).write_bytes(b"".join([*lines[:2], damaged, *lines[3:]]))
    with pytest.raises(InputError, match=r"trials.jsonl: line 3 is damaged \(its checksum") as why:
        load_results(tmp_path)
    assert "\n" not in str(why.value)
    with Store(tmp_path, PLAN) as store:
        (said,) = store.repairs
        assert said.startswith(f"{tmp_path / TRIALS}: line 3 is damaged (its checksum ")
        assert "it is kept in trials.jsonl.damaged, and what it was of runs again" in said
        assert store.results().trials == (*ALL[:2], *ALL[3:])
        store.add_trial(ALL[2])
    assert (tmp_path / f"{TRIALS}.damaged").read_bytes() == damaged
    assert sorted((tmp_path / TRIALS).read_bytes().splitlines(keepends=True)) == sorted(lines)
    assert load_results(tmp_path).trials == tuple(ALL)


def test_of_a_trial_written_twice_the_first_counts(tmp_path: Path) -> None:
    fill(tmp_path)
    again = dataclasses.replace(ALL[0], status="diverged", epochs=ALL[0].epochs[:1])
    assert fill(tmp_path, [again]).trials == tuple(ALL)


def test_a_failure_gives_way_to_what_finishes(tmp_path: Path) -> None:
    failed = [trial(ALL[0].spec, 0, "failed", error) for error in ("first", "second")]
    assert fill(tmp_path, failed).trials[0].error == "second"
    assert fill(tmp_path, ALL).trials == tuple(ALL)
    assert fill(tmp_path, failed).trials == tuple(ALL)


def test_a_second_writer_is_refused_in_one_line(tmp_path: Path) -> None:
    with Store(tmp_path, PLAN):
        with pytest.raises(InputError, match=f"process {os.getpid()} is at work in it") as caught:
            Store(tmp_path, PLAN)
        assert "\n" not in str(caught.value)
        load_results(tmp_path)
    with Store(tmp_path, PLAN):
        pass


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"training": dataclasses.replace(PLAN.training, epochs=3)}, "epochs=2, not 3"),
        ({"fingerprint": "f" * 16}, "dataset fingerprint=0123456789abcdef, not f"),
        ({"lowering": "banded"}, "conv=xla, not banded"),
        ({"study": dataclasses.replace(PLAN.study, name="x")}, "study=small, not x"),
    ],
)
def test_other_settings_are_refused_in_one_line(
    change: dict[str, object], says: str, tmp_path: Path
) -> None:
    fill(tmp_path)
    before = (tmp_path / STUDY).read_bytes()
    with pytest.raises(InputError, match=says) as caught:
        Store(tmp_path, dataclasses.replace(PLAN, **change))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert (tmp_path / STUDY).read_bytes() == before


def test_seeds_and_variants_may_be_added_and_what_is_not_asked_for_stays(tmp_path: Path) -> None:
    fill(tmp_path)
    more = dataclasses.replace(PLAN, seeds=(0, 1, 2, 3), study=small_study.study(4, 6, 8))
    assert fill(tmp_path, [], more).trials == tuple(ALL)
    assert load_results(tmp_path).seeds == (0, 1, 2, 3)
    fewer = dataclasses.replace(PLAN, seeds=(1,))
    assert [one.seed for one in fill(tmp_path, [], fewer).trials] == [1, 1]
    assert fill(tmp_path, []).trials == tuple(ALL)


def test_who_only_looks_does_not_sign_the_results(tmp_path: Path) -> None:
    fill(tmp_path)
    elsewhere = dataclasses.replace(PLAN, environment={"device": "gpu: 1 x H100"})
    with Store(tmp_path, elsewhere) as store:
        assert store.results().environment == PLAN.environment
        store.record_environment(elsewhere.environment)
    assert load_results(tmp_path).environment == elsewhere.environment


def test_rounds_count_where_they_timed_every_design_on_one_machine(tmp_path: Path) -> None:
    small, large = PLAN.designs
    fill(tmp_path)
    with Store(tmp_path, PLAN) as store:
        for seconds, networks, machine in (
            (1.0, (small, large), MACHINE),
            (2.0, (small,), MACHINE),
            (3.0, (large, small), OTHER_MACHINE),
            (4.0, (large, small), MACHINE),
        ):
            store.add_round(times(seconds, *networks), machine)
        assert (store.rounds(MACHINE), store.rounds(OTHER_MACHINE), store.rounds()) == (2, 1, 2)
    found = {(t.spec, t.round): t.train_seconds for t in load_results(tmp_path).timings}
    assert found == {(small, 1): 1.0, (large, 1): 1.0, (small, 2): 4.0, (large, 2): 4.0}


def test_a_design_that_never_finished_needs_no_times(tmp_path: Path) -> None:
    small, large = PLAN.designs
    fill(tmp_path, [trial(small, 0), trial(large, 0, "failed", "why")])
    with Store(tmp_path, PLAN) as store:
        store.add_round(times(1.0, small), MACHINE)
        assert store.rounds(MACHINE) == 1
    assert [timing.spec for timing in load_results(tmp_path).timings] == [small]


def test_a_torn_round_is_taken_away(tmp_path: Path) -> None:
    fill(tmp_path)
    with Store(tmp_path, PLAN) as store:
        store.add_round(times(1.0, *PLAN.designs), MACHINE)
    content = (tmp_path / TIMINGS).read_bytes()
    (tmp_path / TIMINGS).write_bytes(content + content[: len(content) // 2])
    with Store(tmp_path, PLAN) as store:
        assert (len(store.repairs), store.rounds(MACHINE)) == (1, 1)
    assert (tmp_path / TIMINGS).read_bytes() == content


def test_a_full_disk_is_told_of_and_mended_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, ALL[:2])
    really_write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: really_write(fd, data[:9]))
    with pytest.raises(InputError, match=r"trials.jsonl: cannot be written \(No space left"):
        fill(tmp_path, ALL[2:3])
    monkeypatch.undo()
    assert load_results(tmp_path).trials == tuple(ALL[:2])
    assert fill(tmp_path, ALL[2:]).trials == tuple(ALL)


def test_what_a_kill_left_of_a_new_declaration_is_cleared_away(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / f".{STUDY}.abc").write_text("{")
    fill(tmp_path, [])
    assert not list(tmp_path.glob(f".{STUDY}.*"))


@pytest.mark.parametrize("content", ["", "{}", '{"schema_version": 7}', "[1]"])
def test_a_damaged_declaration_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / STUDY).write_text(content)
    with pytest.raises(InputError, match=r"study\.json: is damaged") as caught:
        load_results(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_study_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no study"):
        load_results(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="must be a folder to write to"):
        Store(tmp_path / "file" / "deeper", PLAN)


def test_the_default_folder_tells_settings_apart() -> None:
    name = default_folder("small", PLAN.training, PLAN.data)
    assert name == default_folder("small", PLAN.training, PLAN.data)
    assert name.startswith("small-mnist-rate-1-2-epochs-")
    longer = PLAN.training.replace(rho=0.9)
    assert name != default_folder("small", longer, PLAN.data)
