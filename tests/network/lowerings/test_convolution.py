"""Every form of the convolution block does what `lax` does, whatever surrounds it.

Most values are small integers: their sums are exact in float32 in any order, so that the forms must
agree to the bit, ties between the members of a pooling window and zeros before ReLU included.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from cnn_ablation.errors import InputError
from cnn_ablation.network.lowerings import FORMS, conv_block, dense_block, resolve_form
from cnn_ablation.network.lowerings.native.calls import unavailable

needs_native = pytest.mark.native
OURS = [pytest.param("native", marks=needs_native), "banded"]
Arrays = tuple[jax.Array, jax.Array, jax.Array]


def reference(images: jax.Array, kernel: jax.Array, bias: jax.Array, **shape: Any) -> jax.Array:
    """Convolution, bias, ReLU and pooling in the order of the notebook."""
    stride, pool = shape["stride"], shape["pool"]
    outputs = lax.conv_general_dilated(
        images,
        kernel,
        (stride, stride),
        shape["padding"].upper(),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    window = (1, pool, pool, 1)
    # ReLU last: after it, ties at zero would hide which member the gradient goes to.
    outputs = lax.reduce_window(outputs, -jnp.inf, lax.max, window, window, "VALID")
    return jnp.where(outputs + bias > 0, outputs + bias, 0.0)


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


def integers(shape: tuple[int, ...], seed: int) -> jax.Array:
    values = np.random.default_rng(seed).integers(-3, 4, shape)
    return jnp.asarray(values, jnp.float32)


def arrays(images_shape: tuple[int, ...], kernel_shape: tuple[int, ...]) -> Arrays:
    return integers(images_shape, 0), integers(kernel_shape, 1), integers(kernel_shape[-1:], 2)


def values_and_gradients(block: Any, inputs: Arrays) -> tuple[jax.Array, ...]:
    """Outputs, and the gradients at all inputs of a weighted sum of them, jitted."""

    @jax.jit
    def run(inputs: Arrays) -> tuple[jax.Array, ...]:
        outputs, pull_back = jax.vjp(block, *inputs)
        weights = (jnp.arange(outputs.size) % 7 - 3.0).reshape(outputs.shape)
        return outputs, *pull_back(weights)

    return run(inputs)


@settings(max_examples=15)
@given(blocks())
def test_forms_equal_lax_in_values_and_gradients(case: Any) -> None:
    (images_shape, kernel_shape), shape = case
    inputs = arrays(images_shape, kernel_shape)
    want = values_and_gradients(lambda *a: reference(*a, **shape), inputs)
    for form in FORMS[1:]:
        if form == "native" and unavailable() is not None:
            continue
        got = values_and_gradients(lambda *a, f=form: conv_block(*a, **shape, form=f), inputs)
        for name, theirs, mine in zip(("out", "images", "kernel", "bias"), want, got, strict=True):
            np.testing.assert_array_equal(mine, theirs, err_msg=f"{form}: {name}")


@pytest.mark.parametrize("form", ["xla", *OURS])
def test_accuracy_of_a_full_batch(form: str) -> None:
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
    out, pull_back = jax.vjp(lambda *a: conv_block(*a, **shape, form=form), *inputs)
    _, got_kernel, got_bias = pull_back(jnp.asarray(out_gradients, jnp.float32))
    assert_close(out, want_out)
    assert_close(got_kernel, want_kernel.transpose(1, 2, 0, 3))
    assert_close(got_bias, out_gradients.sum((0, 1, 2)))


def assert_close(got: jax.Array, want: np.ndarray, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(np.asarray(got, np.float64), want, atol=tolerance * abs(want).max())


@pytest.mark.parametrize("form", ["xla", *OURS])
def test_gradient_goes_to_the_first_maximum(form: str) -> None:
    images = jnp.zeros((1, 4, 4, 1)).at[0, 1, 0, 0].set(2.0).at[0, 0, 3, 0].set(2.0)
    images = images.at[0, 1, 1, 0].set(2.0)

    def total(images: jax.Array) -> jax.Array:
        identity, bias = jnp.ones((1, 1, 1, 8)), jnp.full(8, 1.0)
        return conv_block(
            images, identity, bias, stride=1, padding="valid", pool=2, form=form
        ).sum()

    want = np.zeros((4, 4))
    # A tie of two in the first window, no tie in the second, all four equal in the others.
    want[1, 0] = want[0, 3] = want[2, 0] = want[2, 2] = 8
    np.testing.assert_array_equal(jax.grad(total)(images)[0, :, :, 0], want)


@pytest.mark.parametrize("pool", [1, 2])
@pytest.mark.parametrize("form", ["xla", *OURS])
def test_not_a_number_stays(form: str, pool: int) -> None:
    images = jnp.zeros((1, 4, 4, 1)).at[0, 0, 0, 0].set(jnp.nan)
    kernel, bias = jnp.ones((1, 1, 1, 8)), jnp.zeros(8)
    out = conv_block(images, kernel, bias, stride=1, padding="valid", pool=pool, form=form)
    # Banded also spreads it to its neighbours, as zero times NaN.
    assert jnp.isnan(out[0, 0, 0]).all()
    assert not jnp.isnan(out[0, 1:]).any()


@pytest.mark.parametrize("form", OURS)
def test_bfloat16_is_computed_in_float32(form: str) -> None:
    inputs = [
        jax.random.normal(jax.random.key(i), shape).astype(jnp.bfloat16)
        for i, shape in enumerate([(4, 9, 9, 5), (3, 3, 5, 8), (8,)])
    ]
    shape: dict[str, Any] = {"stride": 1, "padding": "same", "pool": 1}
    out = conv_block(*inputs, **shape, form=form)
    exact = reference(*(value.astype(jnp.float32) for value in inputs), **shape)
    assert out.dtype == jnp.bfloat16
    np.testing.assert_allclose(out.astype(jnp.float32), exact, rtol=2**-8, atol=1e-5)
    gradient = jax.grad(lambda k: conv_block(inputs[0], k, inputs[2], **shape, form=form).sum())
    assert gradient(inputs[1]).dtype == jnp.bfloat16


BLOCKS: tuple[dict[str, Any], ...] = (
    {"stride": 1, "padding": "valid", "pool": 2},
    {"stride": 2, "padding": "same", "pool": 1},
)


def loss(params: Any, images: jax.Array, form: str) -> jax.Array:
    """Two blocks, so that one has an input gradient and one has none."""
    for (kernel, bias), shape in zip(params, BLOCKS, strict=True):
        images = conv_block(images, kernel, bias, **shape, form=form)
    return jnp.mean(images**2)


def params_of(seed: int) -> Any:
    keys = jax.random.split(jax.random.key(seed), 2)
    shapes = [(3, 2, 1, 8), (3, 3, 8, 16)]
    return [
        (jax.random.normal(key, s) / 5, jnp.zeros(s[-1]))
        for key, s in zip(keys, shapes, strict=True)
    ]


@pytest.mark.parametrize("form", OURS)
def test_training_in_a_scan_equals_lax(form: str) -> None:
    batches = jax.random.normal(jax.random.key(9), (5, 20, 12, 13, 1))

    def train(form: str) -> Any:
        def step(params: Any, images: jax.Array) -> Any:
            value, gradients = jax.value_and_grad(loss)(params, images, form)
            return jax.tree.map(lambda p, g: p - 0.01 * g, params, gradients), value

        return jax.jit(lambda p: lax.scan(step, p, batches))(params_of(0))

    chex.assert_trees_all_close(train(form), train("xla"), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("form", OURS)
def test_vmap_equals_a_loop(form: str) -> None:
    seeds = [params_of(seed) for seed in range(3)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *seeds)
    images = jax.random.normal(jax.random.key(9), (3, 5, 12, 13, 1))
    gradient = jax.grad(loss)
    for axis, given_images in ((0, images), (None, images[0])):
        mapped = jax.jit(jax.vmap(lambda p, x: gradient(p, x, form), in_axes=(0, axis)))
        got = mapped(stacked, given_images)
        for seed, params in enumerate(seeds):
            alone = gradient(params, images[seed if axis == 0 else 0], form)
            mine = jax.tree.map(lambda leaf, i=seed: leaf[i], got)
            chex.assert_trees_all_close(mine, alone, rtol=1e-5, atol=1e-7)


@needs_native
def test_same_bits_on_any_number_of_threads() -> None:
    code = (
        "import hashlib, jax, numpy as np\n"
        "from tests.network.lowerings.test_convolution import integers, BLOCKS\n"
        "from cnn_ablation.network.lowerings import conv_block\n"
        "draw = lambda i, *shape: jax.random.normal(jax.random.key(i), shape)\n"
        "inputs = draw(0, 70, 28, 28, 3), draw(1, 3, 3, 3, 8), draw(2, 8)\n"
        "def run(shape):\n"
        "    out, back = jax.vjp(lambda *a: conv_block(*a, **shape, form='native'), *inputs)\n"
        "    return out, *back(integers(out.shape, 1))\n"
        "bits = lambda: b''.join(np.asarray(v).tobytes() for s in BLOCKS for v in run(s))\n"
        "print([hashlib.sha256(bits()).hexdigest() for _ in range(3)])\n"
    )
    # XLA's pool has as many threads as the process has CPUs.
    outputs = {
        run_python(f"import os; os.sched_setaffinity(0, {cpus})\n{code}")
        for cpus in ({min(os.sched_getaffinity(0))}, os.sched_getaffinity(0))
    }
    assert len(outputs) == 1
    assert len(set(eval(outputs.pop()))) == 1


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "JAX_PLATFORMS": "cpu", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


MESH = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import NamedSharding, PartitionSpec as P
from tests.network.lowerings.test_convolution import integers
from cnn_ablation.network.lowerings import conv_block
assert jax.device_count() == 8
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("batch",))
params = integers((3, 3, 2, 8), 1), integers((8,), 2)
images = integers((32, 9, 9, 2), 0)

def loss(params, images):
    out = conv_block(images, *params, stride=1, padding="same", pool=2, form="FORM")
    return (out * jnp.arange(8.0)).sum()

step = jax.value_and_grad(loss, (0, 1))
want = step(params, images)
put = lambda value, *axes: jax.device_put(value, NamedSharding(mesh, P(*axes)))
sharded = put(params), put(images, "batch")

def shard_step(params, images):
    value, (of_params, of_images) = step(params, images)
    return (*jax.lax.psum((value, of_params), "batch"), of_images)

manual = jax.shard_map(shard_step, mesh=mesh, in_specs=(P(), P("batch")),
                       out_specs=(P(), P(), P("batch")), check_vma=False)
for run in (step, manual):
    got = jax.jit(run)(*sharded)
    for ours, alone in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
        np.testing.assert_array_equal(ours, alone)
"""


@pytest.mark.parametrize("form", OURS)
def test_batch_on_a_mesh_equals_one_device(form: str) -> None:
    run_python(MESH.replace("FORM", form), XLA_FLAGS="--xla_force_host_platform_device_count=8")


@needs_native
@pytest.mark.parametrize("shape", [(128, 577, 33), (5, 24, 10), (150, 390, 16)])
def test_dense_layer_equals_xla(shape: tuple[int, int, int]) -> None:
    batch, inputs, outputs = shape
    arrays = integers((batch, inputs), 0), integers((inputs, outputs), 1), integers((outputs,), 2)
    want, got = (
        values_and_gradients(lambda *a, f=form: dense_block(*a, form=f), arrays)
        for form in ("xla", "native")
    )
    for theirs, mine in zip(want, got, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_wrong_shapes_are_refused() -> None:
    images, kernel, bias = arrays((2, 5, 5, 3), (3, 3, 2, 8))
    shape: dict[str, Any] = {"stride": 1, "padding": "valid", "pool": 1}
    if unavailable() is None:
        with pytest.raises(ValueError, match="do not fit"):
            conv_block(images, kernel, bias, **shape, form="native")
        with pytest.raises(ValueError, match="do not fit"):
            conv_block(images[..., :2], kernel, bias, **{**shape, "pool": 4}, form="native")


def test_forms_by_platform() -> None:
    assert resolve_form("auto", "gpu") == resolve_form("auto", "tpu") == "xla"
    assert resolve_form("banded", "gpu") == "banded"
    assert resolve_form("xla", "cpu") == "xla"
    if unavailable() is None:
        assert resolve_form("auto", "cpu") == resolve_form("native", "cpu") == "native"
    with pytest.raises(InputError, match=r"--conv=native.*tpu"):
        resolve_form("native", "tpu")
    with pytest.raises(InputError, match=r"--conv=fast.*auto, native, xla, banded"):
        resolve_form("fast", "cpu")
