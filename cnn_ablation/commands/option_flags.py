"""An option as a flag of absl: its text is read, checked and explained by the option itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from absl import flags

from cnn_ablation.options import YES_NO, Option

FLAGS = flags.FLAGS


class _Parser(flags.ArgumentParser):  # type: ignore[type-arg]
    """Turns a flag's text into the value of a field."""

    def __init__(self, option: Option) -> None:
        self.option = option
        self.syntactic_help = ""

    def flag_type(self) -> str:
        return self.option.kind.words

    def parse(self, argument: Any) -> Any:
        return self.option.read(argument) if isinstance(argument, str) else argument


class _Serializer(flags.ArgumentSerializer):  # type: ignore[type-arg]
    def serialize(self, value: Any) -> str:
        if not isinstance(value, tuple):
            return str(value)
        return ",".join(map(str, value)) or "none"


def define_all(options: Mapping[str, Option], values: Mapping[str, Any], module: str) -> None:
    """Defines a flag for each option that wants one."""
    for name, its in options.items():
        if its.flag:
            define(name, values.get(name), its, module)


def define(name: str, default: Any, its: Option, module: str) -> None:
    """Defines one flag, whose help, type and refusals are the option's own."""
    if its.kind is YES_NO and its.shape == "one":
        flags.DEFINE_boolean(name, default, its.full_help, module_name=module)
        return
    if its.shape == "per_block" and isinstance(default, tuple) and len(set(default)) == 1:
        default = default[0]
    text = its.full_help
    if its.choices is not None and not any(choice in text for choice in its.choices):
        text += f"; {its.words}"
    flags.DEFINE(_Parser(its), name, default, text, serializer=_Serializer(), module_name=module)


def given_flags(options: Mapping[str, Option]) -> dict[str, Any]:
    """The values of the flags that were given, by name."""
    return {name: FLAGS[name].value for name in options if name in FLAGS and FLAGS[name].present}
