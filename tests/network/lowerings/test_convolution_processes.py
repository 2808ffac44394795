"""The convolution block in processes of their own: other CPUs, other devices, too little memory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from convolution_cases import OURS

pytest_plugins = ["convolution_fixtures"]


HELPERS = Path(__file__).parents[2] / "helpers"


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(HELPERS), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("native")
def test_same_bits_on_any_number_of_threads() -> None:
    code = (
        "import hashlib, jax, numpy as np\n"
        "from convolution_cases import conv_block, integers, BLOCKS\n"
        "draw = lambda i, *shape: jax.random.normal(jax.random.key(i), shape)\n"
        "inputs = draw(0, 70, 28, 28, 3), draw(1, 3, 3, 3, 8), draw(2, 8)\n"
        "def run(shape):\n"
        "    out, back = jax.vjp(lambda *a: conv_block(*a, **shape, lowering='native'), *inputs)\n"
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


MESH = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import NamedSharding, PartitionSpec as P
from convolution_cases import conv_block, integers
assert jax.device_count() == 8
mesh = jax.sharding.Mesh(np.array(jax.devices()), ("batch",))
params = integers((3, 3, 2, 8), 1), integers((8,), 2)
images = integers((32, 9, 9, 2), 0)

def loss(params, images):
    out = conv_block(images, *params, stride=1, padding="same", pool=2, lowering="FORM")
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


@pytest.mark.parametrize("lowering", OURS, indirect=True)
def test_batch_on_a_mesh_equals_one_device(lowering: str) -> None:
    run_python(MESH.replace("FORM", lowering), XLA_FLAGS="--xla_force_host_platform_device_count=8")


# The limit leaves room for the outputs, not for the kernels' buffers.
MEMORY = """
import resource
from pathlib import Path
import jax, jax.numpy as jnp, numpy as np
from convolution_cases import conv_block

def compiled(images_shape, kernel_shape, pool):
    inputs = jnp.ones(images_shape), jnp.ones(kernel_shape), jnp.zeros(kernel_shape[-1])
    block = lambda *a: conv_block(*a, stride=1, padding="valid", pool=pool, lowering="native")
    return jax.jit(block).lower(*inputs).compile(), inputs

warm, inputs = compiled((64, 28, 28, 1), (3, 3, 1, 8), 1)
jax.block_until_ready(warm(*inputs))
run, inputs = compiled(SHAPES)
jax.block_until_ready(inputs)
soft, hard = resource.getrlimit(resource.RLIMIT_AS)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 12 * 2**20, hard))
try:
    jax.block_until_ready(run(*inputs))
except jax.errors.JaxRuntimeError as error:
    print(error)
finally:
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
out = np.asarray(run(*inputs))
assert (out == inputs[1].size).all(), out
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's here")
@pytest.mark.usefixtures("native")
@pytest.mark.parametrize(
    "shapes",
    [
        # Two million weights, each with a vector of its own.
        pytest.param("(1, 2001, 1001, 1), (2000, 1000, 1, 1), 1", id="of the caller"),
        # Four rows of the convolution, in a task of eight images and one of one.
        pytest.param("(9, 4, 2**18, 1), (1, 1, 1, 1), 4", id="of a task"),
    ],
)
def test_too_little_memory_is_an_error_of_the_call(shapes: str) -> None:
    error = run_python(MEMORY.replace("SHAPES", shapes))
    assert error.startswith("RESOURCE_EXHAUSTED: cnn_ablation: not enough memory for the working")
