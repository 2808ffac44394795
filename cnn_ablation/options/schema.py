"""Options as JSON Schema: what a file may hold follows from what the field says of itself."""

from collections.abc import Mapping
from typing import Any

from cnn_ablation.options.fields import Option, Range
from cnn_ablation.options.registry import Registry

_TYPES = {"int64": "integer", "float64": "number", "bool": "boolean", "string": "string"}
Schema = dict[str, Any]


def schema_of(its: Option, *, typed: bool) -> Schema:
    """What a field's value may be.

    Args:
        its: the field.
        typed: whether a person writes it, who may write one value for all blocks or several;
            else it is stored, where a block's field is always a list.
    """
    one = _single(its)
    if its.optional:
        one = {"anyOf": [one, {"type": "null"}]}
    several: Schema = {"type": "array", "items": one}
    if not its.may_be_none:
        several["minItems"] = 1
    if its.shape == "one":
        found = one
    elif its.shape == "per_block" and not typed:
        found = several
    else:
        found = {"anyOf": [one, several]}
    return {"description": its.help, **found}


def object_of(
    options: Mapping[str, Option], *, typed: bool, required: list[str] | None = None
) -> Schema:
    """An object with a property for each field."""
    found: Schema = {
        "type": "object",
        "properties": {name: schema_of(its, typed=typed) for name, its in options.items()},
    }
    if required:
        found["required"] = required
    return found


def _single(its: Option) -> Schema:
    if isinstance(its.choices, Registry):
        # A user's own are as good; editors show those of the package.
        return {"type": "string", "examples": [*its.choices]}
    if its.choices is not None:
        return {"enum": list(its.choices)}
    return {"type": _TYPES[its.kind.column], **_bounds(its.allowed)}


def _bounds(allowed: Range) -> Schema:
    names = {
        "minimum": allowed.least,
        "exclusiveMinimum": allowed.above,
        "exclusiveMaximum": allowed.below,
        "maximum": allowed.most,
    }
    return {name: bound for name, bound in names.items() if bound is not None}
