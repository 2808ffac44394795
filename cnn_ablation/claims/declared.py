"""Claims as a TOML text: what `judge` reads, and what a study's report leaves for it."""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from typing import Any, Self

from cnn_ablation.claims.claim import Claim, Kind, Setting
from cnn_ablation.claims.sequential import Schedule
from cnn_ablation.errors import InputError
from cnn_ablation.inference import SequentialDesign
from cnn_ablation.options.registry import nearest

_TOP = ("title", "level", "looks", "spending", "seeds", "setting", "columns", "claim")
_COLUMNS = ("variant", "unit", "metric", "value")
_OWN = ("shown_in", "figure", "exploratory")
_QUESTION = "all"


@dataclasses.dataclass(frozen=True)
class DeclaredClaim:
    """A claim, and where it stands.

    Attributes:
        claim: the claim.
        shown_in: what stands before its labels in a table that joins them: `stride` of
            `stride: s1; pooling: p1`. Empty where tables have plain labels.
        figure: name of the figure that shows its differences.
        exploratory: why its verdict is no test of what was declared, where that is known.
    """

    claim: Claim
    shown_in: str = ""
    figure: str = ""
    exploratory: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class DeclaredClaims:
    """A whole file of claims.

    Attributes:
        claims: in their order.
        setting: what the numbers were measured under; shown with each verdict.
        title: heading.
        level: family-wise significance level of a question.
        schedule: the looks of a sequential study, or None.
        columns: names of a table's columns where they are not as usual: `variant`, `unit`,
            `metric`, `value`.
    """

    claims: tuple[DeclaredClaim, ...]
    setting: Setting
    title: str = ""
    level: float = 0.05
    schedule: Schedule | None = None
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Reads what `to_toml` or a person wrote.

        Raises:
            InputError: it is no TOML, or a key or value is not allowed; the message says which.
        """
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"is no TOML ({error})") from None
        _require_known("", document, _TOP)
        setting, columns = document.get("setting", {}), document.get("columns", {})
        for name, table in (("setting", setting), ("columns", columns)):
            if not isinstance(table, dict):
                raise InputError(f"{name} must be a table: [{name}]")
        _require_known("columns.", columns, _COLUMNS)
        claims = document.get("claim", [])
        if (
            not isinstance(claims, list)
            or not claims
            or not all(isinstance(c, dict) for c in claims)
        ):
            raise InputError("has no [[claim]]: at least one is needed")
        level = document.get("level", 0.05)
        if not isinstance(level, float) or not 0.0 < level < 1.0:
            raise InputError(f"level = {level}: must lie between 0 and 1, both excluded")
        return cls(
            claims=tuple(map(_claim, claims)),
            setting=_setting(setting),
            title=str(document.get("title", "")),
            level=level,
            schedule=_schedule(document, level),
            columns=columns,
        )

    def to_toml(self) -> str:
        """The file's text, the same for the same claims."""
        top: dict[str, Any] = {"title": self.title, "level": self.level}
        if self.schedule is not None:
            design = self.schedule.design
            top |= {"looks": design.looks, "spending": design.spending}
            top["seeds"] = self.schedule.seeds
        parts = [_lines(top), f"[setting]\n{_lines(dataclasses.asdict(self.setting))}"]
        if self.columns:
            parts.append(f"[columns]\n{_lines(self.columns)}")
        for one in self.claims:
            own = {name: getattr(one, name) for name in _OWN if getattr(one, name)}
            parts.append(f"[[claim]]\n{_lines({**one.claim.to_json(), **own})}")
        return "\n".join(parts)


def kind_of_metric(metric: str) -> Kind:
    """What one value of a metric is of, where a claim does not say: a seed, a round or a design."""
    if metric in ("params", "macs"):
        return "exact"
    return "timing" if metric in ("train_seconds", "eval_seconds") else "paired"


def _claim(document: Mapping[str, Any]) -> DeclaredClaim:
    fields = {field.name for field in dataclasses.fields(Claim)}
    name = document.get("name", "?")
    _require_known(f"claim {name!r}: ", document, (*fields, *_OWN))
    for needed in ("name", "text", "metric", "contrasts"):
        if needed not in document:
            raise InputError(f"claim {name!r}: {needed} is missing")
    own = {key: document[key] for key in _OWN if key in document}
    given = {key: value for key, value in document.items() if key in fields}
    given.setdefault("question", _QUESTION)
    given.setdefault("kind", kind_of_metric(str(given["metric"])))
    try:
        claim = Claim(**given)
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(f"claim {name!r}: a value is not of its kind ({error})") from None
    own["exploratory"] = tuple(own.get("exploratory", ()))
    return DeclaredClaim(claim, **own)


def _setting(document: Mapping[str, Any]) -> Setting:
    fields = {field.name for field in dataclasses.fields(Setting)}
    _require_known("setting.", document, fields)
    plain = {"dataset": "", "epochs": 0, "optimizer": "", "learning_rate": 0.0}
    others = tuple(document.get("others", ()))
    return Setting(**{**plain, **document, "others": others})


def _schedule(document: Mapping[str, Any], level: float) -> Schedule | None:
    looks = document.get("looks")
    if not looks:
        return None
    try:
        design = SequentialDesign(tuple(looks), level, document.get("spending", "linear"))
    except (TypeError, ValueError) as error:
        raise InputError(f"looks = {looks}: {error}") from None
    return Schedule(design, tuple(document.get("seeds", range(design.most_units))))


def _require_known(place: str, document: Mapping[str, Any], known: Any) -> None:
    for name in document:
        if name not in known:
            raise InputError(f"{place}{name}: unknown{nearest(name, sorted(known))}")


def _lines(values: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in values.items() if value is not None}
    return "".join(f"{name} = {_value(value)}\n" for name, value in kept.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_value, value))}]"
    # A string of JSON is one of TOML, but for a character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
