"""One block, convolution + max-pool + bias + ReLU, with a form (a lowering) for each platform."""

import jax

from cnn_ablation.convolution import banded, xla
from cnn_ablation.errors import InputError

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
    if form == "native":
        raise InputError("--conv=native: not built yet")
    if form == "auto":
        return "banded" if platform == "cpu" else "xla"
    return form


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
    lowering = {"xla": xla.conv_block, "banded": banded.conv_block}[form]
    return lowering(images_BHWC, kernel_HWIO, bias_O, stride=stride, padding=padding, pool=pool)
