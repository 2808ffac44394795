"""One block, convolution + max-pool + bias + ReLU, with a form (a lowering) for each platform."""

import functools
import sys

import jax

from cnn_ablation.errors import InputError
from cnn_ablation.network.lowerings import banded, xla
from cnn_ablation.network.lowerings.native import calls as native

FORMS: tuple[str, ...] = ("auto", "native", "xla", "banded")


def resolve_form(form: str, platform: str) -> str:
    """Choose the form of the convolution block that a platform runs.

    Args:
        form: One of `FORMS`, as given with `--conv`.
        platform: JAX's name of the platform: "cpu", "gpu" or "tpu".

    Returns:
        "native", "xla" or "banded".

    Raises:
        InputError: `form` is none of `FORMS`, or "native" was asked for where it cannot be had.
    """
    if form not in FORMS:
        raise InputError(f"--conv={form}: must be one of {', '.join(FORMS)}")
    if form == "native" and platform != "cpu":
        raise InputError(f"--conv=native: has kernels for the cpu alone, not for {platform}")
    if form == "auto" and platform != "cpu":
        return "xla"
    if form not in ("auto", "native"):
        return form
    reason = native.unavailable()
    if reason is None:
        return "native"
    if form == "native":
        raise InputError(f"--conv=native: cannot be had here, use auto, xla or banded: {reason}")
    _notice(f"cnn_ablation: using --conv=banded, slower than native kernels: {reason}")
    return "banded"


@functools.cache
def _notice(line: str) -> None:
    """Print a line once in the life of the process."""
    print(line, file=sys.stderr, flush=True)


def conv_block(
    images_BHWC: jax.Array,
    kernel_HWIO: jax.Array,
    bias_O: jax.Array,
    *,
    stride: int,
    padding: str,
    pool: int,
    form: str,
) -> jax.Array:
    """Cross-correlate, max-pool, add the bias and apply ReLU.

    Pooling before bias and ReLU gives the same values as after them, since both are monotonic,
    with fewer of them to compute. The gradient of a pooling window goes to its first maximum in
    row-major order, and that of ReLU at zero is zero, in every form.

    Args:
        images_BHWC: A batch of images, or of feature maps.
        kernel_HWIO: The convolution's kernel, of the images' type.
        bias_O: One bias per output channel, of the images' type.
        stride: Step of the kernel, in pixels, along both axes.
        padding: "valid", or "same" as TensorFlow and XLA define it.
        pool: Side and step of the max-pool window, partial windows dropped; 1 is no pooling.
        form: "native", "xla" or "banded": what `resolve_form` returned.

    Returns:
        Feature maps of shape `(B, H', W', O)`.
    """
    forms = {"native": native.conv_block, "xla": xla.conv_block, "banded": banded.conv_block}
    lowering = forms[form]
    return lowering(images_BHWC, kernel_HWIO, bias_O, stride=stride, padding=padding, pool=pool)


def dense_block(
    features_BK: jax.Array, kernel_KO: jax.Array, bias_O: jax.Array, *, form: str
) -> jax.Array:
    """A dense layer with ReLU: the block whose kernel covers the whole image.

    On the CPU a wide one takes XLA longer than the convolutions before it take the native kernels.

    Args:
        features_BK: A batch of flat features.
        kernel_KO: The layer's kernel, of the features' type.
        bias_O: One bias per output, of the features' type.
        form: "native", "xla" or "banded": what `resolve_form` returned.

    Returns:
        Activations of shape `(B, O)`.
    """
    if form != "native":
        return jax.nn.relu(features_BK @ kernel_KO + bias_O)
    pixels, kernel = features_BK[:, None, None, :], kernel_KO[None, None]
    return native.conv_block(pixels, kernel, bias_O, stride=1, padding="valid", pool=1)[:, 0, 0]
