"""A variant's control: the same design with its parameters or multiply-accumulates held equal.

Kernel size, stride, padding and pooling change the map before the hidden layer, and with it that
layer's parameters, and the work of the convolutions. Where a conclusion survives in a control arm,
what is held equal is not what made it. `arms` makes whole arms of them.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from cnn_ablation.design import NetworkSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.errors import InputError
from cnn_ablation.study.declaration import Variant
from cnn_ablation.study.widths import TOLERANCE, is_near, with_macs, with_params

__all__ = ["HELD", "TOLERANCE", "control_at", "with_controls"]

PARAMS, MACS = "params", "macs"


def with_controls(variants: Sequence[Variant], reference: NetworkSpec) -> tuple[Variant, ...]:
    """Adds to each variant a control whose hidden width brings its parameters to a reference's.

    Where kernel size, stride or pooling change the map before the hidden layer, they change that
    layer's parameters too; in the control arm the count is held within 1 % instead.

    Args:
        variants: the designs.
        reference: the design whose number of parameters all controls have.

    Raises:
        InputError: no hidden width comes within 1 % of the reference.
    """
    controls = [control_at(PARAMS, variant, reference) for variant in variants]
    return (*variants, *(control for control in controls if control is not None))


def control_at(held: str, variant: Variant, reference: NetworkSpec) -> Variant | None:
    """The control of a variant that has a reference's parameters or multiply-accumulates.

    Args:
        held: a key of `HELD`: `params` or `macs`.
        variant: the design.
        reference: the design whose number it is to have.

    Returns:
        The control; None where the variant needs none.

    Raises:
        InputError: no width comes within 1 % of the reference.
    """
    return HELD[held](variant, reference)


def _equal_params(variant: Variant, reference: NetworkSpec) -> Variant | None:
    target = summarize(reference).params
    if summarize(variant.network).params == target:
        return None
    hidden = NetworkSpec.every_option()["hidden"]
    if isinstance(variant.network.hidden, tuple):
        raise InputError(
            f"variant {variant.label}: hidden={hidden.typed(variant.network.hidden)}: a control "
            "arm changes the width of the one hidden layer; leave the question's reference out"
        )
    network = with_params(variant.network, target)
    params = summarize(network).params
    if not is_near(params, target):
        raise InputError(
            f"variant {variant.label}: no hidden width gives {target:,} parameters within 1 %; "
            f"the nearest is {network.hidden} with {params:,}"
        )
    return _control(variant, network, f"hidden {network.hidden}")


def _equal_macs(variant: Variant, reference: NetworkSpec) -> Variant | None:
    target = summarize(reference).macs
    if is_near(summarize(variant.network).macs, target):
        return None
    network = with_macs(variant.network, target)
    features = NetworkSpec.every_option()["features"].typed(network.features)
    macs = summarize(network).macs
    if not is_near(macs, target):
        raise InputError(
            f"variant {variant.label}: no features of its blocks give {target:,} "
            f"multiply-accumulates within 1 %; the nearest are features={features} with {macs:,}"
        )
    return _control(variant, network, f"features {features}")


def _control(variant: Variant, network: NetworkSpec, what: str) -> Variant:
    label = f"{variant.label} ({what})"
    return dataclasses.replace(
        variant, label=label, network=network, control_of=variant.label, published=None
    )


HELD: Mapping[str, Callable[[Variant, NetworkSpec], Variant | None]] = {
    PARAMS: _equal_params,
    MACS: _equal_macs,
}
