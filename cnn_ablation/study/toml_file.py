"""A study as a TOML text: the same declaration as in Python, and nothing in it is executed.

    name = "width"
    title = "Do wider convolutions pay?"

    [[question]]
    name = "width"
    axes.features = [[4, 8], [8, 16], [16, 32]]

    [[question.claim]]
    name = "wider"
    text = "twice the channels are more accurate"
    metric = "test_accuracy"
    order = ["features=16,32", "features=8,16", "features=4,8"]

docs/schemas/study_file.schema.json describes every key; `study_file` makes that of the same tables.
"""

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from cnn_ablation.claims import Claim, chain
from cnn_ablation.claims.declared import kind_of_metric
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, part_of
from cnn_ablation.design.trial import PARTS
from cnn_ablation.errors import InputError
from cnn_ablation.options.registry import nearest
from cnn_ablation.study.declaration import LEVEL, Question, Study, Variant, grid
from cnn_ablation.study.tuning import Tuning

# The keys of each table, and what each must be: a type, or several.
Kinds = Mapping[str, type | tuple[type, ...]]
TOP: Kinds = {
    "name": str,
    "title": str,
    "description": str,
    "looks": list,
    "spending": str,
    "level": float,
    "map_over": dict,
    "tuning": dict,
    "network": dict,
    "training": dict,
    "data": dict,
    "run": dict,
    "question": list,
}
QUESTION: Kinds = {
    "name": str,
    "title": str,
    "network": dict,
    "reference": (bool, dict),
    "axes": dict,
    "variant": list,
    "claim": list,
}
TUNING: Kinds = {
    "field": str,
    "values": list,
    "seeds": int,
    "once": bool,
    "validation": float,
    "by": str,
    "extensions": int,
}
CLAIM: Kinds = {
    "name": str,
    "text": str,
    "metric": str,
    "contrasts": list,
    "against": list,
    "order": list,
    "direction": str,
    "margin": (int, float),
    "kind": str,
    "expected": str,
    "min_epochs": int,
    "scope": str,
    "scale": str,
}
NEEDED = {"": ("name", "question"), "question": ("name",), "claim": ("name", "text", "metric")}
_PAIRS = ("order", "contrasts", "against")
_WORDS = {
    str: "a text",
    list: "a list",
    dict: "a table",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


@dataclasses.dataclass(frozen=True)
class StudyFile:
    """What a file declares.

    Attributes:
        study: the study.
        description: what is asked, for `--help`.
        training: what its variants share, unless a flag says otherwise.
        data: likewise.
        run: other flags by name, as they stand there: `num_seeds`, `timing_rounds`.
    """

    study: Study
    description: str = ""
    training: TrainingSpec = dataclasses.field(default_factory=TrainingSpec)
    data: DataSpec = dataclasses.field(default_factory=DataSpec)
    run: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def parse_study(text: str) -> StudyFile:
    """Reads a study.

    Raises:
        InputError: it is no TOML, or a key or value is not allowed; the message names the key.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is no TOML ({error})") from None
    _check("", document, TOP, NEEDED[""])
    base = _part(NetworkSpec, "network", document.get("network", {}))
    given = _tables("question", document["question"])
    if not given:
        raise InputError("question: is empty; must be one [[question]] or more")
    questions = tuple(_question(one, base, n) for n, one in enumerate(given, start=1))
    name = document["name"]
    return StudyFile(
        study=Study(
            name,
            document.get("title", name),
            questions,
            tuple(document.get("looks", ())),
            document.get("spending", "linear"),
            document.get("level", LEVEL),
            _map_over(document.get("map_over", {})),
            _tuning(document.get("tuning")),
        ),
        description=document.get("description", ""),
        training=_part(TrainingSpec, "training", document.get("training", {})),
        data=_part(DataSpec, "data", document.get("data", {})),
        run=document.get("run", {}),
    )


def _question(table: Mapping[str, Any], base: NetworkSpec, number: int) -> Question:
    place = f"question {table.get('name', number)}"
    _check(place, table, QUESTION, NEEDED["question"])
    if "network" in table:
        base = _replaced(base, f"{place}: network", table["network"])
    variants = _grid(place, base, table.get("axes", {}))
    given = _tables(f"{place}: variant", table.get("variant", []))
    variants += tuple(_variant(place, base, one) for one in given)
    if not variants:
        raise InputError(f"{place}: must have axes, or one [[question.variant]] or more")
    name, claims = table["name"], _tables(f"{place}: claim", table.get("claim", []))
    return Question(
        name,
        table.get("title", name),
        variants,
        tuple(_claim(place, name, one) for one in claims),
        _reference(place, base, table.get("reference", False)),
    )


def _reference(place: str, base: NetworkSpec, given: Any) -> NetworkSpec | None:
    """The design whose parameters a control arm holds: the base, or the base with changes."""
    if isinstance(given, bool):
        return base if given else None
    return _replaced(base, f"{place}: reference", given)


def _grid(place: str, base: NetworkSpec, axes: Mapping[str, Any]) -> tuple[Variant, ...]:
    if not axes:
        return ()
    for name, values in axes.items():
        if not isinstance(values, list) or not values:
            raise InputError(f"{place}: axes.{name}: must be a list of values")
    try:
        return grid(base, {name: [_plain(v) for v in values] for name, values in axes.items()})
    except InputError as error:
        raise InputError(f"{place}: axes: {error}") from None


def _variant(place: str, base: NetworkSpec, table: Mapping[str, Any]) -> Variant:
    label = table.get("label")
    if not isinstance(label, str) or not label:
        raise InputError(f"{place}: variant: label: must be a text")
    place = f"{place}: variant {label}"
    found: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
    try:
        for name, value in table.items():
            if name != "label":
                found[part_of(name)][name] = _plain(value)
        network = base.replace(**found["network"])
        return Variant(label, network, training=found["training"], data=found["data"])
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def _claim(place: str, question: str, table: Mapping[str, Any]) -> Claim:
    place = f"{place}: claim {table.get('name', '?')}"
    _check(place, table, CLAIM, NEEDED["claim"])
    if ("order" in table) == ("contrasts" in table):
        raise InputError(f"{place}: must have either contrasts or order")
    given = {name: value for name, value in table.items() if name not in _PAIRS}
    given.setdefault("kind", kind_of_metric(table["metric"]))
    if "against" in table:
        given["against"] = _pairs(f"{place}: against", table["against"])
    try:
        return Claim(question=question, contrasts=_contrasts(place, table), **given)
    except InputError as error:
        raise InputError(str(error) if str(error).startswith(place) else f"{place}: {error}") from (
            None
        )


def _contrasts(place: str, table: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    if "order" in table:
        order = table["order"]
        if len(order) < 2 or not all(isinstance(one, str) for one in order):
            raise InputError(f"{place}: order: must be two labels or more, the best first")
        return chain(*order)
    return _pairs(f"{place}: contrasts", table["contrasts"])


def _pairs(place: str, pairs: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    for pair in pairs:
        whole = isinstance(pair, list) and len(pair) == 2
        if not whole or not all(isinstance(one, str) for one in pair):
            raise InputError(f'{place}: must be pairs of labels, ["better", "worse"]')
    return tuple((a, b) for a, b in pairs)


def _tuning(table: Mapping[str, Any] | None) -> Tuning | None:
    if table is None:
        return None
    _check("tuning", table, TUNING, ("field", "values"))
    return Tuning(**{**table, "values": tuple(table["values"])})


def _map_over(table: Mapping[str, Any]) -> Mapping[str, tuple[Any, ...]]:
    for name, values in table.items():
        if not isinstance(values, list) or not values:
            raise InputError(f"map_over.{name}: must be a list of values")
        if part_of(name) == "network":
            raise InputError(f"map_over.{name}: must be a field of training or data")
    return {name: _plain(values) for name, values in table.items()}


def _part(kind: Any, place: str, table: Mapping[str, Any]) -> Any:
    try:
        return kind(**{name: _plain(value) for name, value in _known(kind, table).items()})
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def _replaced(base: NetworkSpec, place: str, table: Mapping[str, Any]) -> NetworkSpec:
    try:
        known = _known(NetworkSpec, table)
        return base.replace(**{name: _plain(value) for name, value in known.items()})
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def _known(kind: Any, table: Mapping[str, Any]) -> Mapping[str, Any]:
    every = [name for name, its in kind.every_option().items() if its.flag]
    for name in table:
        if name not in every:
            raise InputError(f"{name}: unknown{nearest(name, every)}; allowed: {', '.join(every)}")
    return table


def _tables(place: str, given: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
    if not all(isinstance(one, dict) for one in given):
        raise InputError(f"{place}: must be tables, each under [[{place.rpartition(' ')[2]}]]")
    return given


def _check(place: str, table: Mapping[str, Any], kinds: Kinds, needed: Sequence[str]) -> None:
    """Refuses unknown and missing keys, and values of another kind."""
    head = f"{place}: " if place else ""
    for name, value in table.items():
        if name not in kinds:
            allowed = ", ".join(kinds)
            raise InputError(f"{head}{name}: unknown{nearest(name, kinds)}; allowed: {allowed}")
        several = kinds[name]
        allowed_kinds = several if isinstance(several, tuple) else (several,)
        # A bool is an int to Python.
        if not isinstance(value, allowed_kinds) or (
            isinstance(value, bool) and bool not in allowed_kinds
        ):
            words = " or ".join(_WORDS[kind] for kind in allowed_kinds)
            raise InputError(f"{head}{name} = {value!r}: must be {words}")
    for name in needed:
        if name not in table:
            raise InputError(f"{head}{name}: is missing")


def _plain(value: Any) -> Any:
    """Lists of TOML as tuples, as specs keep them."""
    return tuple(map(_plain, value)) if isinstance(value, list) else value
