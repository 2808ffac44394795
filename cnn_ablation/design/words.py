"""Specs as people read them: options as they are typed, and short names."""

from cnn_ablation.design.trial import TrialSpec
from cnn_ablation.options import FIRST_VERSION


def typed_options(spec: TrialSpec) -> dict[str, str]:
    """The options as users type them, by flag; new fields only where they say something."""
    shown = {}
    for part in spec.parts:
        values = part.values()
        for name, its in part.options().items():
            if its.flag and (its.absent is FIRST_VERSION or not its.is_absent(values[name])):
                shown[name] = its.typed(values[name])
    return shown


def describe(spec: TrialSpec) -> str:
    """The options as they would be written on the command line, without the dashes."""
    return " ".join(f"{name}={text}" for name, text in typed_options(spec).items())


def short_name(spec: TrialSpec) -> str:
    """A name made of what differs from the base design: `stride2`, `kernel_size7+9`, or `base`."""
    base = TrialSpec()
    parts = [] if spec.data.dataset == base.data.dataset else [spec.data.title.replace("/", "-")]
    usual = base.network.values()
    for name, value in spec.network.values().items():
        if spec.network.options()[name].flag and value != usual[name]:
            its = spec.network.options()[name]
            parts.append(name + its.typed(value).replace(",", "+"))
    if spec.training.optimizer.name != base.training.optimizer.name:
        parts.append(spec.training.optimizer.name)
    return "-".join(parts) or "base"
