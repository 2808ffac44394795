"""A trial's spec and layers in the forms that trackers show: flat values and Markdown tables."""

from collections.abc import Iterable, Mapping
from typing import Any

from cnn_ablation.design import NetworkSpec, TrialSpec
from cnn_ablation.design.summary import summarize, summary_rows
from cnn_ablation.display.text import markdown_table


def options_of(spec: TrialSpec) -> dict[str, int | float | str]:
    """The spec's options by the names of their flags; per-block values as they are typed."""
    found = {}
    for part in spec.parts:
        values = part.values()
        for name, its in part.options().items():
            value = values[name]
            # What is left open has no value to show.
            if its.flag and value is not None:
                found[name] = its.typed(value) if isinstance(value, tuple) else value
    return found


def layer_table(network: NetworkSpec) -> str:
    """The layer table in Markdown."""
    return markdown_table(summary_rows(summarize(network)))


def value_table(heading: str, values: Mapping[str, Any]) -> str:
    """Names and values in Markdown."""
    return markdown_table(
        [(heading, "value"), *((name, str(value)) for name, value in values.items())]
    )


def bullet_list(sentences: Iterable[str]) -> str:
    """Sentences as a list in Markdown."""
    return "\n".join(f"* {sentence}" for sentence in sentences)


def flat(document: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested JSON object as one level, keys joined by dots."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found
