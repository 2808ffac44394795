"""A study's folder: what was declared, and every trial and timing round since, none lost.

study.json     the declaration, its settings and seeds, what it ran on; replaced as a whole
trials.jsonl   one line a trial, only ever appended to
timings.jsonl  one line a round of the timing pass, only ever appended to

`ledger` has the two files that say what was declared before the first trial, and judged since.
"""

import collections
import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cnn_ablation.claims import Verdict
from cnn_ablation.errors import InputError
from cnn_ablation.study.journal import Journal
from cnn_ablation.study.ledger import (
    JUDGEMENTS,
    Declaration,
    check_judgement,
    judgement_line,
    read_ledger,
    settle_ledger,
)
from cnn_ablation.study.lines import (
    OLDER_ROUND,
    OLDER_TRIAL,
    check_round,
    trial_check,
)
from cnn_ablation.study.plan import OLDER_PLAN, Plan
from cnn_ablation.study.reading import (
    complete_rounds,
    machine_key,
    most_rounds,
    results_of,
    timed_designs,
)
from cnn_ablation.study.results import StudyResults, Timing
from cnn_ablation.study.strays import explain_strays
from cnn_ablation.system.files import unwritable, write_json
from cnn_ablation.system.hardware import UNKNOWN, Machine, difference
from cnn_ablation.system.locks import sole_writer
from cnn_ablation.system.stored import parse_object, seal, unseal
from cnn_ablation.training.records import TrialRecord

STUDY, TRIALS, TIMINGS = "study.json", "trials.jsonl", "timings.jsonl"


def load_results(workdir: Path) -> StudyResults:
    """Reads what a study's folder holds, finished or not; changes nothing there.

    Trials come in the order of designs and seeds, whatever the order in which they ended.

    Raises:
        InputError: the folder holds no study, or a file in it is damaged.
    """
    plan = read_plan(workdir)
    if plan is None:
        raise InputError(f"{workdir}: holds no study: {STUDY} is not there")
    trials, timings = _journals(workdir, plan)
    return results_of(plan, trials.read(), timings.read(), read_ledger(workdir))


def read_plan(workdir: Path) -> Plan | None:
    """Reads what a folder's study was declared as; None where there is none.

    Raises:
        InputError: the file is damaged.
    """
    path = workdir / STUDY
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        return Plan.from_json(unseal(parse_object(content), OLDER_PLAN))
    except InputError as error:
        raise InputError(
            f"{path}: is damaged or of another version ({error}); restore it, or delete it: its "
            "study's command writes it again"
        ) from None


class Store:
    """A study's folder, open for writing; use it as a context.

    Attributes:
        folder: the folder.
        plan: what is to be there in the end.
        repairs: what was mended on opening, a line each.
        resolved: the plan with what tuning had chosen when `results` was last called.
        strays: stored trials that the plan does not declare, a sentence each.
    """

    def __init__(
        self, folder: Path, plan: Plan, *, held: bool = False, rounds: int | None = None
    ) -> None:
        """Takes the folder for this process and reads what is there.

        Args:
            folder: the folder, which is made where there is none.
            plan: what is to be there in the end.
            rounds: rounds of the timing pass that are declared, where it is known.
            held: whether this process holds the folder already.

        Raises:
            InputError: another process holds it, it holds a study with other settings, a file is
                damaged, or it cannot be written.
        """
        self.folder, self.plan, self._declared_rounds = folder, plan, rounds
        self._open = contextlib.ExitStack()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not held:
                self._open.enter_context(sole_writer(folder))
        except OSError as error:
            raise InputError(
                f"--workdir={folder}: must be a folder to write to ({error.strerror})"
            ) from None
        for leftover in folder.glob(f".{STUDY}.*"):
            leftover.unlink()
        self._trials, self._timings = _journals(folder, plan)
        try:
            self._settle()
        except BaseException:
            self._open.close()
            raise

    def _settle(self) -> None:
        kept = read_plan(self.folder)
        if kept is not None:
            _require_same(self.folder, kept, self.plan)
        self.repairs = [*self._trials.repair(), *self._timings.repair()]
        self._trial_lines, self._rounds = self._trials.read(), self._timings.read()
        self.resolved = results_of(self.plan, self._trial_lines, (), None).plan
        self.strays = explain_strays(self.resolved, self._trial_lines)
        if kept is not None:
            # Who only looks at a finished study does not sign it with another machine.
            self.plan = dataclasses.replace(self.plan, environment=kept.environment)
        # Before the plan: a stop in between must not lose what stood before the first trial.
        self.ledger = settle_ledger(
            self.folder,
            self.plan,
            kept,
            rounds=self._declared_rounds,
            has_trials=bool(self._trial_lines) or self._trials.aside.exists(),
        )
        self._write_plan()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def record_environment(self, environment: Mapping[str, Any]) -> None:
        """Keeps what the trials and timings that follow run on."""
        self.plan = dataclasses.replace(self.plan, environment=environment)
        self._write_plan()

    def add_trial(self, trial: TrialRecord, machine: Machine = UNKNOWN) -> None:
        """Appends one trial.

        Args:
            trial: how it went.
            machine: what it was trained on; by default that is not known.

        Raises:
            InputError: the file cannot be written.
        """
        line = {
            "trial_id": self.plan.trial_id(trial.spec, trial.seed),
            "dataset_version": self.plan.dataset_of(trial.spec.data).version,
            "variant": [f"{q}: {label}" for q, label in self._labels(trial)],
            "seed": trial.seed,
            "status": trial.status,
            "error": trial.error,
            "device": machine.device,
            "hardware": machine.hardware,
            "git_revision": self.plan.environment.get("git_revision"),
            "epochs": [vars(epoch) for epoch in trial.epochs],
            **trial.correct_json(),
            "spec": trial.spec.to_json(),
        }
        self._trials.append(line)
        self._trial_lines.append(line)

    def _labels(self, trial: TrialRecord) -> list[tuple[str, str]]:
        return self.resolved.labels(trial.spec, trial.seed)

    def add_round(self, times: Sequence[Timing], machine: Mapping[str, Any]) -> None:
        """Appends one whole round of the timing pass: every design once.

        Args:
            times: the round's times.
            machine: what they were taken on; rounds of different machines are never mixed.

        Raises:
            InputError: the file cannot be written.
        """
        line = {
            "round": len(self._rounds) + 1,
            "machine": dict(machine),
            "times": [
                {
                    "spec": time.spec.to_json(),
                    "train_seconds": time.train_seconds,
                    "eval_seconds": time.eval_seconds,
                }
                for time in times
            ],
        }
        self._timings.append(line)
        self._rounds.append(line)

    def record_judgement(self, verdicts: Sequence[Verdict]) -> None:
        """Appends when the claims were judged, on what, and what came out.

        Raises:
            InputError: the file cannot be written.
        """
        declaration = Declaration.of(self.plan, self._declared_rounds)
        line = judgement_line(declaration, len(self._trial_lines), verdicts)
        journal = Journal(self.folder / JUDGEMENTS, check_judgement, ())
        self.repairs += journal.repair()
        journal.append(line)

    def rounds(self, machine: Mapping[str, Any] | None = None) -> int:
        """Rounds that timed every design with a completed trial.

        Args:
            machine: where; None is the machine that has most of them.
        """
        designs = timed_designs(self.resolved, self.results().trials)
        complete = complete_rounds(self.plan, designs, self._rounds)
        if machine is None:
            return len(most_rounds(complete))
        return len(complete.get(machine_key(machine), ()))

    def other_hardware(self, hardware: Mapping[str, Any]) -> dict[str, int]:
        """How many trials were trained on which other hardware, as far as their lines say.

        Args:
            hardware: that of now, as `system.hardware` describes it.

        Returns:
            Counts by what differs, in words.
        """
        others = (line.get("hardware") for line in self._trial_lines)
        return collections.Counter(
            difference(own, hardware) for own in others if own and own != hardware
        )

    def results(self) -> StudyResults:
        """All that is there so far."""
        results = results_of(self.plan, self._trial_lines, self._rounds, self.ledger)
        self.resolved = results.plan
        return results

    def _write_plan(self) -> None:
        try:
            write_json(self.folder / STUDY, seal(self.plan.to_json()))
        except OSError as error:
            raise unwritable(self.folder / STUDY, error) from None


def _journals(folder: Path, plan: Plan) -> tuple[Journal, Journal]:
    trials = Journal(folder / TRIALS, trial_check(plan), OLDER_TRIAL)
    return trials, Journal(folder / TIMINGS, check_round, OLDER_ROUND)


def _require_same(folder: Path, kept: Plan, plan: Plan) -> None:
    difference = plan.differs_from(kept)
    if difference is not None:
        raise InputError(
            f"--workdir={folder}: holds a study with {difference}; name another folder"
        )
