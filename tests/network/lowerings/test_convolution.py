"""Every lowering of the convolution block does what `lax` does, whatever surrounds it.

Most values are small integers: their sums are exact in float32 in any order, so that the lowerings
must agree to the bit, ties between the members of a pooling window and zeros before ReLU included.
"""

import functools
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from convolution_cases import (
    BLOCKS,
    OURS,
    arrays,
    conv_block,
    integers,
    reference,
    values_and_gradients,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from cnn_ablation.errors import InputError
from cnn_ablation.network.lowerings import choose_lowering, lowering_of
from cnn_ablation.network.lowerings.native import build
from cnn_ablation.network.lowerings.native.calls import conv_block as native_conv_block
from cnn_ablation.network.lowerings.native.calls import unavailable
from cnn_ablation.network.lowerings.native.kept import Finish

pytest_plugins = ["convolution_fixtures"]


@st.composite
def blocks(draw: st.DrawFn) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], dict[str, Any]]:
    kernel_size = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    image_size = tuple(window + draw(st.integers(0, 9)) for window in kernel_size)
    stride, padding = draw(st.integers(1, 4)), draw(st.sampled_from(["valid", "same"]))
    out = [
        -(-size // stride) if padding == "same" else (size - window) // stride + 1
        for size, window in zip(image_size, kernel_size, strict=True)
    ]
    pool = draw(st.integers(1, min(4, *out)))
    channels = draw(st.sampled_from([1, 2, 3, 8, 9, 16]))
    features = draw(st.sampled_from([1, 3, 8, 10, 16, 20]))
    images_shape = (draw(st.integers(1, 19)), *image_size, channels)
    shapes = images_shape, (*kernel_size, channels, features)
    return shapes, {"stride": stride, "padding": padding, "pool": pool}


@settings(max_examples=15)
@given(blocks())
def test_forms_equal_lax_in_values_and_gradients(case: Any) -> None:
    (images_shape, kernel_shape), shape = case
    inputs = arrays(images_shape, kernel_shape)
    want = values_and_gradients(lambda *a: reference(*a, **shape), inputs)
    for lowering in ("direct", "xla", "banded"):
        if lowering == "direct" and unavailable() is not None:
            continue
        got = values_and_gradients(
            lambda *a, f=lowering: conv_block(*a, **shape, lowering=f), inputs
        )
        for name, theirs, mine in zip(("out", "images", "kernel", "bias"), want, got, strict=True):
            np.testing.assert_array_equal(mine, theirs, err_msg=f"{lowering}: {name}")


@pytest.mark.parametrize("lowering", ["xla", *OURS], indirect=True)
def test_accuracy_of_a_full_batch(lowering: str) -> None:
    """Against float64, at the base model's second layer: one long float32 sum would miss this."""
    generator = np.random.default_rng(3)
    images = generator.normal(size=(128, 26, 26, 8))
    kernel, bias = generator.normal(size=(3, 3, 8, 16)), np.full(16, 1000.0)
    out_gradients = generator.normal(size=(128, 24, 24, 16))
    patches = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
    want_kernel = np.tensordot(patches, out_gradients, ((0, 1, 2), (0, 1, 2)))
    want_out = np.tensordot(patches, kernel, ((4, 5, 3), (0, 1, 2))) + bias

    inputs = [jnp.asarray(value, jnp.float32) for value in (images, kernel, bias)]
    shape: dict[str, Any] = {"stride": 1, "padding": "valid", "pool": 1}
    out, pull_back = jax.vjp(lambda *a: conv_block(*a, **shape, lowering=lowering), *inputs)
    _, got_kernel, got_bias = pull_back(jnp.asarray(out_gradients, jnp.float32))
    assert_close(out, want_out)
    assert_close(got_kernel, want_kernel.transpose(1, 2, 0, 3))
    assert_close(got_bias, out_gradients.sum((0, 1, 2)))


@pytest.mark.parametrize("kernel_size", [3, 5, 9])
@pytest.mark.usefixtures("native")
def test_winograd_is_as_close_as_promised(kernel_size: int) -> None:
    """Against float64 with images like those behind a ReLU; docs/kernels.md has the figures."""
    generator = np.random.default_rng(kernel_size)
    images = np.maximum(generator.normal(size=(16, 28, 28, 8)), 0)
    kernel = generator.normal(size=(kernel_size, kernel_size, 8, 16)) / kernel_size
    size = 29 - kernel_size
    out_gradients = generator.normal(size=(16, size, size, 16))
    inputs = [jnp.asarray(value, jnp.float32) for value in (images, kernel, np.zeros(16))]
    with jax.enable_x64(True):
        arrays = [np.asarray(value, np.float64) for value in inputs]
        want = all_of(lambda i, k, b: lax_convolve(i, k) + b, arrays, out_gradients)
    shape: dict[str, Any] = {"stride": 1, "padding": "valid", "dilation": 1}
    finish = Finish("none")
    found = {
        direct: all_of(
            functools.partial(native_conv_block, **shape, finish=finish, direct=direct),
            inputs,
            np.float32(out_gradients),
        )
        for direct in (False, True)
    }
    np.testing.assert_array_equal(found[False][0], found[True][0])
    for winograd, plain, exact in zip(found[False], found[True], want, strict=True):
        assert_close(winograd, exact)
        assert_close(plain, exact, 2e-6)
    for of in (1, 2):
        assert not np.array_equal(found[False][of], found[True][of])


def all_of(function: Any, arrays: Any, out_gradients: Any) -> list[Any]:
    """A block's outputs, and its gradients at images, kernel and bias."""
    out, pull_back = jax.vjp(function, *map(jnp.asarray, arrays))
    return [np.asarray(value) for value in (out, *pull_back(jnp.asarray(out_gradients)))]


def lax_convolve(images: jax.Array, kernel: jax.Array) -> jax.Array:
    return lax.conv_general_dilated(
        images, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def assert_close(got: jax.Array, want: np.ndarray, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(np.asarray(got, np.float64), want, atol=tolerance * abs(want).max())


@pytest.mark.parametrize("lowering", ["xla", *OURS], indirect=True)
def test_gradient_goes_to_the_first_maximum(lowering: str) -> None:
    images = jnp.zeros((1, 4, 4, 1)).at[0, 1, 0, 0].set(2.0).at[0, 0, 3, 0].set(2.0)
    images = images.at[0, 1, 1, 0].set(2.0)

    def total(images: jax.Array) -> jax.Array:
        identity, bias = jnp.ones((1, 1, 1, 8)), jnp.full(8, 1.0)
        return conv_block(
            images, identity, bias, stride=1, padding="valid", pool=2, lowering=lowering
        ).sum()

    want = np.zeros((4, 4))
    # A tie of two in the first window, no tie in the second, all four equal in the others.
    want[1, 0] = want[0, 3] = want[2, 0] = want[2, 2] = 8
    np.testing.assert_array_equal(jax.grad(total)(images)[0, :, :, 0], want)


@pytest.mark.parametrize("pool", [1, 2])
@pytest.mark.parametrize("lowering", ["xla", *OURS], indirect=True)
def test_not_a_number_stays(lowering: str, pool: int) -> None:
    images = jnp.zeros((1, 4, 4, 1)).at[0, 0, 0, 0].set(jnp.nan)
    kernel, bias = jnp.ones((1, 1, 1, 8)), jnp.zeros(8)
    out = conv_block(images, kernel, bias, stride=1, padding="valid", pool=pool, lowering=lowering)
    # Banded also spreads it to its neighbours, as zero times NaN.
    assert jnp.isnan(out[0, 0, 0]).all()
    assert not jnp.isnan(out[0, 1:]).any()


@pytest.mark.parametrize("lowering", OURS, indirect=True)
def test_bfloat16_is_computed_in_float32(lowering: str) -> None:
    inputs = [
        jax.random.normal(jax.random.key(i), shape).astype(jnp.bfloat16)
        for i, shape in enumerate([(4, 9, 9, 5), (3, 3, 5, 8), (8,)])
    ]
    shape: dict[str, Any] = {"stride": 1, "padding": "same", "pool": 1}
    out = conv_block(*inputs, **shape, lowering=lowering)
    exact = reference(*(value.astype(jnp.float32) for value in inputs), **shape)
    assert out.dtype == jnp.bfloat16
    np.testing.assert_allclose(out.astype(jnp.float32), exact, rtol=2**-8, atol=1e-5)
    gradient = jax.grad(
        lambda k: conv_block(inputs[0], k, inputs[2], **shape, lowering=lowering).sum()
    )
    assert gradient(inputs[1]).dtype == jnp.bfloat16


def loss(params: Any, images: jax.Array, lowering: str) -> jax.Array:
    """Two blocks, so that one has an input gradient and one has none."""
    for (kernel, bias), shape in zip(params, BLOCKS, strict=True):
        images = conv_block(images, kernel, bias, **shape, lowering=lowering)
    return jnp.mean(images**2)


def params_of(seed: int) -> Any:
    keys = jax.random.split(jax.random.key(seed), 2)
    shapes = [(3, 2, 1, 8), (3, 3, 8, 16)]
    return [
        (jax.random.normal(key, s) / 5, jnp.zeros(s[-1]))
        for key, s in zip(keys, shapes, strict=True)
    ]


@pytest.mark.parametrize("lowering", OURS, indirect=True)
def test_training_in_a_scan_equals_lax(lowering: str) -> None:
    batches = jax.random.normal(jax.random.key(9), (5, 20, 12, 13, 1))

    def train(lowering: str) -> Any:
        def step(params: Any, images: jax.Array) -> Any:
            value, gradients = jax.value_and_grad(loss)(params, images, lowering)
            return jax.tree.map(lambda p, g: p - 0.01 * g, params, gradients), value

        return jax.jit(lambda p: lax.scan(step, p, batches))(params_of(0))

    chex.assert_trees_all_close(train(lowering), train("xla"), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("lowering", OURS, indirect=True)
def test_vmap_equals_a_loop(lowering: str) -> None:
    seeds = [params_of(seed) for seed in range(3)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *seeds)
    images = jax.random.normal(jax.random.key(9), (3, 5, 12, 13, 1))
    gradient = jax.jit(jax.grad(loss), static_argnums=2)
    for axis, given_images in ((0, images), (None, images[0])):
        mapped = jax.jit(jax.vmap(lambda p, x: gradient(p, x, lowering), in_axes=(0, axis)))
        got = mapped(stacked, given_images)
        for seed, params in enumerate(seeds):
            alone = gradient(params, images[seed if axis == 0 else 0], lowering)
            mine = jax.tree.map(lambda leaf, i=seed: leaf[i], got)
            chex.assert_trees_all_close(mine, alone, rtol=1e-5, atol=1e-7)


@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("shape", [(128, 577, 33), (5, 24, 10), (150, 390, 16)])
def test_dense_layer_equals_xla(shape: tuple[int, int, int]) -> None:
    batch, inputs, outputs = shape
    arrays = integers((batch, inputs), 0), integers((inputs, outputs), 1), integers((outputs,), 2)
    want, got = (
        values_and_gradients(lowering_of(lowering).dense, arrays) for lowering in ("xla", "native")
    )
    for theirs, mine in zip(want, got, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_wrong_shapes_are_refused() -> None:
    images, kernel, bias = arrays((2, 5, 5, 3), (3, 3, 2, 8))
    shape: dict[str, Any] = {"stride": 1, "padding": "valid", "pool": 1}
    if unavailable() is None:
        with pytest.raises(ValueError, match="do not fit"):
            conv_block(images, kernel, bias, **shape, lowering="native")
        with pytest.raises(ValueError, match="do not fit"):
            conv_block(images[..., :2], kernel, bias, **{**shape, "pool": 4}, lowering="native")


def test_native_is_had_where_a_compiler_is() -> None:
    """All tests of the kernels are skipped without them, so that one must not be."""
    try:
        build.find_compiler()
    except build.BuildError as error:
        pytest.skip(str(error))
    assert unavailable() is None


def test_forms_by_platform() -> None:
    assert choose_lowering("auto", "gpu") == choose_lowering("auto", "tpu") == "xla"
    assert choose_lowering("banded", "gpu") == "banded"
    assert choose_lowering("xla", "cpu") == "xla"
    if unavailable() is None:
        assert choose_lowering("auto", "cpu") == choose_lowering("native", "cpu") == "native"
        assert choose_lowering("direct", "cpu") == "direct"
    for name in ("native", "direct"):
        with pytest.raises(InputError, match=rf"--conv={name}.*tpu"):
            choose_lowering(name, "tpu")
    with pytest.raises(InputError, match=r"--conv=fast.*auto, native, direct, xla, banded"):
        choose_lowering("fast", "cpu")
