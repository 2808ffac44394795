"""How choices are declared: fields that say all about themselves, and registries of named choices.

A dataclass whose fields are made by `option` can be validated, parsed from text, written as JSON,
put into a table and turned into flags by functions that know nothing of it.
"""

from cnn_ablation.options.fields import (
    FIRST_VERSION,
    Option,
    declared,
    option,
    validate,
)
from cnn_ablation.options.kinds import NUMBER, TEXT, WHOLE, YES_NO, Kind
from cnn_ablation.options.registry import Registry

__all__ = [
    "FIRST_VERSION",
    "NUMBER",
    "TEXT",
    "WHOLE",
    "YES_NO",
    "Kind",
    "Option",
    "Registry",
    "declared",
    "option",
    "validate",
]
