"""A study from declaration to exit code; its trials are made up, since they are not at issue.

`test_study_processes.py` has real ones, in real processes.
"""

import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import small_study

from cnn_ablation import report
from cnn_ablation.commands.conclusion import FAILED_TRIALS, UNEXPECTED_VERDICT, finish_study
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.execution import preparing, timing
from cnn_ablation.execution.executors import block, machine
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.session import train_study
from cnn_ablation.study import Question, Study, one_axis
from cnn_ablation.study.store import STUDY, TIMINGS, TRIALS, load_results
from cnn_ablation.system.hardware import describe_hardware
from cnn_ablation.training.records import EpochRecord, TrialRecord

Trial = tuple[int, int]


class FakeTrainer:
    """Trains in no time; keeps a diary of (hidden units, seed), and does what it is told to."""

    diary: list[Trial]
    troubles: dict[Trial, Callable[[], Any]]
    seeds_at_once = 1
    lowering, compile_seconds = "xla", 0.0

    def __init__(self, spec: TrialSpec, *_: object, **__: object) -> None:
        self.spec = spec

    def train(self, seed: int) -> Any:
        return self.train_together([seed])[0]

    def train_together(self, seeds: Sequence[int], on_epoch: Any = None) -> list[Any]:
        (seed,) = seeds
        hidden = self.spec.network.hidden_layers[0]
        self.diary.append((hidden, seed))
        status = self.troubles.get((hidden, seed), lambda: "completed")()
        epochs = []
        for number in range(1, self.spec.training.epochs + 1):
            accuracy = 0.5 + hidden / 1000 + seed / 10_000 + number / 100
            epochs.append(EpochRecord(number, 0.5, 0.5, 0.5, accuracy, 1.0 + hidden, 0.1))
            if on_epoch is not None:
                on_epoch(seed, epochs[-1])
        kept = tuple(epochs if status == "completed" else epochs[:1])
        return [SimpleNamespace(record=TrialRecord(self.spec, seed, status, kept))]


@pytest.fixture(autouse=True)
def trainer(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeTrainer]]:
    FakeTrainer.diary, FakeTrainer.troubles = [], {}
    monkeypatch.setattr(block, "Trainer", FakeTrainer)
    monkeypatch.setattr(timing, "Trainer", FakeTrainer)
    monkeypatch.setattr(
        report, "write_report", lambda results, folder, tests: folder / "report.html"
    )
    yield FakeTrainer


@pytest.fixture
def run(
    tmp_path: Path, private_folders: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs a study in tmp_path; returns its exit code and what it printed."""

    def run(study: Study | None = None, seeds: int = 3, **options: Any) -> tuple[int, str]:
        defaults: dict[str, Any] = {
            "training": small_study.TRAINING,
            "data": small_study.DATA,
            "timing_rounds": 0,
            "workdir": str(tmp_path / "study"),
            "executor": "inline",
            "conv": "xla",
            "data_dir": str(private_folders / "datasets"),
            # Rounds of other tests are of the same designs.
            "share_timings": False,
        }
        chosen = StudyOptions.of(seeds=range(seeds), **{**defaults, **options})
        code = finish_study(study or small_study.study(4, 6), chosen)
        return code, capsys.readouterr().out

    return run


def fail() -> None:
    raise RuntimeError("out of luck\nand more")


def test_a_study_is_trained_design_by_design_and_told_of(
    run: Any, trainer: type[FakeTrainer], tmp_path: Path
) -> None:
    code, said = run()
    assert code == 0
    assert trainer.diary == [(hidden, seed) for hidden in (4, 6) for seed in range(3)]
    assert "2 designs x 3 seeds = 6, of which 0 are there" in said
    assert re.search(r"^trial  design    seed  test accuracy  seconds  left$", said, re.MULTILINE)
    assert re.search(r"^  6/6  hidden=6     2         52.62% +\d", said, re.MULTILINE)
    assert re.search(r"\* Holds: fewer hidden units mean fewer parameters", said)
    assert said.rstrip().endswith(f"report   {tmp_path / 'study' / 'report' / 'report.html'}")


def test_it_says_before_the_run_when_the_seeds_decide_nothing(run: Any) -> None:
    for seeds, word in ((5, "warning"), (6, "plan")):
        _, said = run(seeds=seeds)
        before = said[: said.index("\ntrial  design")]
        assert re.search(rf"^{word} +width: 1 contrast; {seeds} seeds", before, re.MULTILINE)


def test_from_python_a_study_is_trained_and_its_results_returned(
    run: Any, trainer: type[FakeTrainer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run()
    trainer.diary.clear()
    options = StudyOptions.of(
        training=small_study.TRAINING,
        data=small_study.DATA,
        seeds=range(4),
        timing_rounds=0,
        workdir=str(tmp_path / "study"),
        executor="inline",
        conv="xla",
        data_dir=os.environ["TFDS_DATA_DIR"],
    )
    results = train_study(small_study.study(4, 6), options)
    assert trainer.diary == [(4, 3), (6, 3)]
    assert results == load_results(tmp_path / "study")
    assert "Holds" not in capsys.readouterr().out


def test_a_finished_study_trains_nothing(run: Any, trainer: type[FakeTrainer]) -> None:
    _, first = run()
    trainer.diary.clear()
    code, again = run()
    assert (code, trainer.diary) == (0, [])
    tables = [said[said.index("Width  ") :] for said in (first, again)]
    assert tables[0] == tables[1]


def test_only_what_is_missing_is_trained(run: Any, trainer: type[FakeTrainer]) -> None:
    run()
    trainer.diary.clear()
    run(small_study.study(4, 6, 8), seeds=4)
    assert trainer.diary == [(4, 3), (6, 3), (8, 0), (8, 1), (8, 2), (8, 3)]


def test_a_failed_trial_is_recorded_and_the_study_goes_on(
    run: Any, trainer: type[FakeTrainer], tmp_path: Path
) -> None:
    trainer.troubles[(4, 1)] = fail
    code, said = run()
    assert code == FAILED_TRIALS
    assert len(trainer.diary) == 6
    assert "failed: hidden=4 seed 1: RuntimeError: out of luck\n" in said
    statuses = [trial.status for trial in load_results(tmp_path / "study").trials]
    assert statuses == ["completed", "failed", *["completed"] * 4]
    trainer.diary.clear()
    assert run()[0] == FAILED_TRIALS
    assert trainer.diary == []
    trainer.troubles.clear()
    assert run(retry_failed=True)[0] == 0
    assert trainer.diary == [(4, 1)]


def test_a_diverged_trial_is_a_result(run: Any, trainer: type[FakeTrainer], tmp_path: Path) -> None:
    trainer.troubles[(4, 1)] = lambda: "diverged"
    code, said = run()
    assert code == 0
    assert "1 pair dropped" in said.replace("\n  ", " ")
    trainer.diary.clear()
    run(retry_failed=True)
    assert trainer.diary == []


@pytest.mark.parametrize("stopped_at", [(4, 0), (6, 1)])
def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(
    run: Any, trainer: type[FakeTrainer], stopped_at: Trial, tmp_path: Path
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    trainer.troubles[stopped_at] = stop
    with pytest.raises(KeyboardInterrupt) as caught:
        run()
    done = trainer.diary[:-1]
    message = f"{len(done)} of 6 trials are kept in {tmp_path / 'study'}; the same command goes on"
    assert str(caught.value) == message
    trainer.troubles.clear()
    trainer.diary.clear()
    assert run()[0] == 0
    assert not set(trainer.diary) & set(done)
    assert len(trainer.diary) == 6 - len(done)


def test_check_fails_on_an_unexpected_verdict_only(run: Any) -> None:
    assert run(check=True)[0] == 0
    wrong = small_study.study(4, 6)
    claim = dataclasses.replace(small_study.FEWER, direction="greater")
    question = dataclasses.replace(wrong.questions[0], claims=(claim,))
    wrong = dataclasses.replace(wrong, questions=(question,))
    code, said = run(wrong, check=True)
    assert code == UNEXPECTED_VERDICT
    assert "unexpected: fewer is 'fails' where 'holds' was expected" in said
    assert run(wrong)[0] == 0


def test_each_round_times_each_design_after_a_warm_up(
    run: Any, trainer: type[FakeTrainer], tmp_path: Path
) -> None:
    run(timing_rounds=3)
    pass_diary = [hidden for hidden, _ in trainer.diary[6:]]
    assert pass_diary[:2] == [4, 6]
    rounds = [pass_diary[start : start + 2] for start in (2, 4, 6)]
    assert [sorted(one) for one in rounds] == [[4, 6]] * 3
    assert rounds[0] == rounds[1][::-1], "no design may always come first"
    timings = load_results(tmp_path / "study").timings
    assert sorted((t.round, t.spec.network.hidden_layers[0], t.train_seconds) for t in timings) == [
        (number, hidden, 1.0 + hidden) for number in (1, 2, 3) for hidden in (4, 6)
    ]


def test_the_timing_pass_goes_on_at_the_round_that_was_broken_off(
    run: Any, trainer: type[FakeTrainer], tmp_path: Path
) -> None:
    run()
    trainer.diary.clear()

    def stop_in_the_second_round() -> str:
        if len(trainer.diary) > 5:
            raise KeyboardInterrupt
        return "completed"

    trainer.troubles[(4, 0)] = trainer.troubles[(6, 0)] = stop_in_the_second_round
    with pytest.raises(KeyboardInterrupt):
        run(timing_rounds=2)
    assert len((tmp_path / "study" / TIMINGS).read_text().splitlines()) == 1
    trainer.troubles.clear()
    trainer.diary.clear()
    run(timing_rounds=2)
    assert len(trainer.diary) == 4, "a warm-up and one round"
    trainer.diary.clear()
    run(timing_rounds=2)
    assert trainer.diary == []


def test_the_control_arm_has_claims_of_its_own(run: Any, tmp_path: Path) -> None:
    plain = small_study.study(4, 6)
    strides = one_axis(small_study.BASE, "stride", (3, 4))
    claim = dataclasses.replace(small_study.BETTER, contrasts=(("stride=3", "stride=4"),))
    question = dataclasses.replace(
        plain.questions[0],
        variants=strides,
        claims=(claim,),
        reference=small_study.BASE.replace(stride=3, hidden=64),
    )
    study = dataclasses.replace(plain, questions=(question,))
    assert run(study, controls=False)[0] == 0
    assert len(load_results(tmp_path / "study").plan.designs) == 2
    _, said = run(study)
    controls = load_results(tmp_path / "study").study.questions[0].variants[2:]
    assert [control.control_of for control in controls] == ["stride=3", "stride=4"]
    assert "at equal parameters, more hidden units are more accurate" in said.replace("\n  ", " ")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"executor": "magic"}, "--executor=magic: must be"),
        ({"executor": "processes", "workers": 0}, "--workers=0: must be"),
        ({"workers": 2}, "--workers=2: must be 1 with --executor=inline"),
        ({"timing_rounds": -1}, "timing_rounds=-1: must be"),
        ({"conv": "magic"}, "--conv=magic: must be"),
        ({"devices": 99}, "--devices=99: must be"),
    ],
)
def test_a_mistake_is_refused_before_anything_is_written(
    options: dict[str, Any], says: str, run: Any, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        run(**options)
    assert not (tmp_path / "study").exists()


def test_a_design_too_large_for_the_images_is_named(run: Any) -> None:
    study = small_study.study(4, 6)
    vast = NetworkSpec(kernel_size=30, image_shape=(64, 64, 1))
    question = dataclasses.replace(
        study.questions[0],
        variants=(dataclasses.replace(study.questions[0].variants[0], network=vast),),
        claims=(),
    )
    with pytest.raises(InputError, match="variant hidden=4: kernel_size=30: block 1 sees a 28x28"):
        run(dataclasses.replace(study, questions=(question,)))


def test_without_a_workdir_settings_choose_the_folder(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        run(workdir=None)
    (folder,) = (tmp_path / "runs").iterdir()
    assert len((folder / TRIALS).read_text().splitlines()) == 6
    assert json.loads((folder / STUDY).read_text())["seeds"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("given", "cores", "executor"),
    [
        ({}, (0, 1), "processes"),
        ({}, (0,), "inline"),
        ({"workers": 1}, (0, 1), "inline"),
        ({"workers": 3}, (0,), "processes"),
        ({"devices": 2}, (0, 1), "inline"),
        ({"executor": "inline"}, (0, 1), "inline"),
        ({"executor": "ray"}, (0, 1), "ray"),
    ],
)
def test_auto_is_a_worker_on_each_of_several_cores(
    given: dict[str, Any], cores: tuple[int, ...], executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "available_cores", lambda: cores)
    options = StudyOptions.of(
        training=TrainingSpec(), data=DataSpec(), seeds=range(2), **{"executor": "auto", **given}
    )
    assert preparing.with_executor(options).execution.executor == executor


def better(width: int) -> Study:
    """A claim about two widths that is clear, and a third that is in no claim."""
    claim = dataclasses.replace(small_study.BETTER, contrasts=((f"hidden={width}", "hidden=4"),))
    variants = one_axis(small_study.BASE, "hidden", (4, 6, 8))
    return Study("small", "Width?", (Question("width", "Width", variants, (claim,)),))


def test_a_sequential_study_trains_until_its_claims_are_decided(
    run: Any, trainer: type[FakeTrainer], tmp_path: Path
) -> None:
    code, said = run(better(6), seeds=5, until_decided=True, max_seeds=20)
    assert code == 0
    before = said[: said.index("\ntrial  design")]
    assert "3 designs x 5 to 20 seeds, of which 0 are there" in before
    assert re.search(r"looks at 5, 7, 10, 14, 20 seeds", before)
    assert re.search(r"of at most 60 trials are to be expected", before)
    assert "0 of 1 claims decided with up to 5 seeds; 2 of 3 designs go on to 7 seeds" in said
    assert "1 of 1 claims decided with up to 7 seeds; nothing more is needed" in said
    # Hidden=8 is in no claim.
    assert len(trainer.diary) == 2 * 7 + 5
    assert "19 of at most 60 trials were trained (68 % saved" in said
    assert "decided at look 2 of 5: 7 of at most 20 seeds" in re.sub(r"\s+", " ", said)
    judged = (tmp_path / "study" / "judgements.jsonl").read_text().splitlines()
    assert len(judged) == 3


def test_a_stopped_sequential_study_goes_on_and_decides_the_same(
    run: Any, trainer: type[FakeTrainer], tmp_path: Path
) -> None:
    options = {"seeds": 5, "until_decided": True, "max_seeds": 20}
    run(better(6), **options)
    whole = list(trainer.diary)
    path = tmp_path / "study" / TRIALS
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:7]) + lines[7][:20])
    trainer.diary.clear()
    _, said = run(better(6), **options)
    assert trainer.diary == whole[7:]
    assert "(exploratory)" not in said
    trainer.diary.clear()
    run(better(6), **options)
    assert trainer.diary == []


def test_a_fixed_study_that_is_extended_is_told_before_it_trains(
    run: Any, trainer: type[FakeTrainer]
) -> None:
    run(better(6), seeds=6)
    _, said = run(better(6), seeds=8)
    before = said[: said.index("\ntrial  design")]
    told = "1 verdict will be labelled exploratory: 8 seeds, where 6 were declared"
    assert told in re.sub(r"\s+", " ", before)
    assert "Holds (exploratory): more hidden units" in said


def test_looks_may_be_declared_in_the_study_or_by_flag(
    run: Any, trainer: type[FakeTrainer], tmp_path: Path
) -> None:
    declared = dataclasses.replace(better(6), looks=(7, 9), spending="cubic")
    assert "looks at 7, 9 seeds" in run(declared, workdir=str(tmp_path / "a"))[1]
    _, said = run(declared, workdir=str(tmp_path / "b"), looks=(8, 10, 12))
    assert "looks at 8, 10, 12 seeds" in said
    _, said = run(declared, workdir=str(tmp_path / "c"), until_decided=False)
    assert "3 designs x 3 seeds = 9" in said
    with pytest.raises(InputError, match="--looks=9,7: must be rising numbers of seeds"):
        run(declared, looks=(9, 7))
    with pytest.raises(InputError, match="--max_seeds=2: must be the 3 of --num_seeds or more"):
        run(better(6), until_decided=True, max_seeds=2)
    with pytest.raises(InputError, match=r"study small: looks \(9, 7\) must be rising"):
        dataclasses.replace(better(6), looks=(9, 7))


def on_other_hardware(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """From now on this machine says that it is another one."""
    described = describe_hardware() | changes
    monkeypatch.setattr(machine, "describe_hardware", described.copy)


def test_trials_of_another_processor_are_said_to_be_mixed(
    run: Any, trainer: type[FakeTrainer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(seeds=2)
    line = json.loads((tmp_path / "study" / TRIALS).read_text().splitlines()[0])
    assert line["hardware"]["precision"] == "float32"
    assert line["hardware"]["convolution"] == "xla"
    assert "mixed" not in run(seeds=3)[1]
    on_other_hardware(monkeypatch, vector_bits=64)
    code, said = run(seeds=4)
    assert (code, len(trainer.diary)) == (0, 8)
    bits = line["hardware"]["vector_bits"]
    assert f"mixed    6 trials were trained on other hardware (6 with vector bits {bits})" in said
    # Nothing is trained any more, and so nothing mixed.
    assert "mixed" not in run(seeds=4)[1]


def test_same_hardware_refuses_to_mix(
    run: Any, trainer: type[FakeTrainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(seeds=2)
    on_other_hardware(monkeypatch, processor="another one")
    with pytest.raises(InputError, match=r"--same_hardware: 4 trials .* \(4 with processor .*\)"):
        run(seeds=3, same_hardware=True)
    assert len(trainer.diary) == 4
    assert run(seeds=2, same_hardware=True)[0] == 0
