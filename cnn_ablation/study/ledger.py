"""What was declared before a study's first trial, and every judgement since.

ledger.json        claims, margins, level, looks, metric and seeds, with their hash; written once
judgements.jsonl   a line a judgement: when, of what declaration, on how many trials, what came out

A claim, a margin or a schedule that changes afterwards is not forbidden, nor are more seeds than
were declared: the verdict is then exploratory, and says why.
"""

import dataclasses
import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from cnn_ablation.claims import Claim, Verdict
from cnn_ablation.errors import InputError
from cnn_ablation.inference import SequentialDesign
from cnn_ablation.study.declaration import LEVEL
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.tuning import Tuning
from cnn_ablation.system.files import write_json

LEDGER, JUDGEMENTS = "ledger.json", "judgements.jsonl"
_SCHEMA = 1


@dataclasses.dataclass(frozen=True)
class Declaration:
    """What a study's verdicts are tests of.

    Attributes:
        claims: by question and name.
        seeds: every seed that may be trained.
        schedule: the looks of a sequential study, or None.
        rounds: rounds of the timing pass; None where it is not known.
        level: family-wise significance level.
        tuning: how variants are tuned, or None.
    """

    claims: Mapping[tuple[str, str], Claim]
    seeds: tuple[int, ...]
    schedule: SequentialDesign | None
    rounds: int | None = None
    level: float = LEVEL
    tuning: Tuning | None = None

    @classmethod
    def of(cls, plan: Plan, rounds: int | None = None) -> Self:
        """What a plan declares."""
        claims = {(q.name, claim.name): claim for q in plan.study.questions for claim in q.claims}
        level = plan.study.level
        return cls(claims, plan.seeds, plan.schedule, rounds, level, plan.tuning)

    def to_json(self) -> dict[str, Any]:
        """The declaration as JSON values."""
        return {
            "claims": [
                {"shown_in": question, **tested(claim)}
                for (question, _), claim in self.claims.items()
            ],
            "seeds": list(self.seeds),
            "schedule": None if self.schedule is None else self.schedule.to_json(),
            "timing_rounds": self.rounds,
            "level": self.level,
            # Left out where nothing is tuned, as before there was tuning.
            **({"tuning": self.tuning.to_json()} if self.tuning else {}),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Reads what `to_json` wrote."""
        schedule, tuning = document["schedule"], document.get("tuning")
        claims = {}
        for one in document["claims"]:
            fields = dict(one)
            question = fields.pop("shown_in")
            claims[question, fields["name"]] = Claim.from_json(fields)
        return cls(
            claims,
            tuple(document["seeds"]),
            SequentialDesign.from_json(schedule) if schedule else None,
            document["timing_rounds"],
            document["level"],
            Tuning.from_json(tuning) if tuning else None,
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the declaration."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclasses.dataclass(frozen=True)
class Ledger:
    """The declaration that stood before the first trial.

    Attributes:
        declaration: what was declared.
        time: when it was written, in UTC.
        late: whether trials were there already: those of a version that kept no ledger.
    """

    declaration: Declaration
    time: str
    late: bool = False

    @classmethod
    def now(cls, declaration: Declaration, *, late: bool = False) -> Self:
        """A ledger of this moment."""
        return cls(declaration, timestamp(), late)

    def to_json(self) -> dict[str, Any]:
        """The ledger as JSON values."""
        return {
            "schema_version": _SCHEMA,
            "time": self.time,
            "late": self.late,
            "digest": self.declaration.digest,
            "declaration": self.declaration.to_json(),
        }


def read_ledger(folder: Path) -> Ledger | None:
    """What a folder's study declared before its first trial; None where there is no ledger.

    Raises:
        InputError: the file is damaged, or was altered.
    """
    path = folder / LEDGER
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        ledger = Ledger(
            Declaration.from_json(document["declaration"]), document["time"], document["late"]
        )
        digest = document["digest"]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: is damaged or of another version ({error})") from None
    if digest != ledger.declaration.digest:
        raise InputError(f"{path}: was altered: its declaration does not have its digest")
    return ledger


def settle_ledger(
    folder: Path, plan: Plan, kept: Plan | None, *, rounds: int | None, has_trials: bool
) -> Ledger | None:
    """Writes the ledger where no trial is there yet; afterwards it stays as it is.

    Args:
        folder: the study's folder, held by this process.
        plan: what is declared now.
        kept: what the folder's study was declared as before.
        rounds: rounds of the timing pass, where it is known.
        has_trials: whether a trial has been trained.

    Returns:
        What counts as declared; None while there is no claim at all.

    Raises:
        InputError: the file is damaged, or cannot be written.
    """
    ledger = read_ledger(folder) if has_trials else None
    if ledger is not None:
        return ledger
    before = kept if has_trials and kept is not None else plan
    if not any(question.claims for p in (before, plan) for question in p.study.questions):
        return None
    declaration = Declaration.of(before, None if has_trials else rounds)
    ledger = Ledger.now(declaration, late=has_trials)
    try:
        write_json(folder / LEDGER, ledger.to_json())
    except OSError as error:
        raise InputError(f"{folder / LEDGER}: cannot be written ({error.strerror})") from None
    return ledger


def judgement_line(
    declaration: Declaration, trials: int, verdicts: Sequence[Verdict]
) -> dict[str, Any]:
    """One line of `judgements.jsonl`."""
    return {
        "time": timestamp(),
        "declaration": declaration.digest,
        "trials": trials,
        "verdicts": {
            f"{verdict.claim.question}: {verdict.claim.name}": "; ".join(
                (verdict.outcome, *verdict.qualifiers)
            )
            for verdict in verdicts
        },
    }


def check_judgement(line: Mapping[str, Any]) -> None:
    """Finds out whether a line of `judgements.jsonl` says what was judged and what came out.

    Raises:
        InputError: it does not.
    """
    if not isinstance(line.get("verdicts"), dict) or not isinstance(line.get("declaration"), str):
        raise InputError("it must have verdicts, and the digest of a declaration")


def timestamp() -> str:
    """This moment in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def tested(claim: Claim) -> dict[str, Any]:
    """A claim as far as its verdict hangs on it: not its words, nor what is expected."""
    return {name: value for name, value in claim.to_json().items() if name != "expected"}
