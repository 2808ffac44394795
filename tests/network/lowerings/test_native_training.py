"""What the native kernels do of a step beside its layers is what plain JAX and Optax do."""

import dataclasses
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cnn_ablation.network.lowerings import lowering_of
from cnn_ablation.network.lowerings.native.targets import call
from cnn_ablation.optimizers import OPTIMIZERS, Optimizer
from cnn_ablation.optimizers.algorithms import Adadelta, RMSprop

pytest_plugins = ["convolution_fixtures"]
NATIVE, PLAIN = lowering_of("native"), lowering_of("xla")
# Larger than what one thread updates, not a multiple of any vector, a scalar.
SHAPES = {"kernel": (331, 57), "bias": (7,), "scale": ()}
ONES: list[Optimizer] = [
    *(OPTIMIZERS[name]() for name in ("adadelta", "adam", "adamw", "rmsprop")),
    RMSprop(momentum=0.9),
    Adadelta(rho=0.5, epsilon=0.01),
]
pytestmark = pytest.mark.usefixtures("native")


@given(
    arrays.arrays(np.uint8, st.tuples(*[st.integers(1, n) for n in (5, 9, 9, 3)])),
    st.data(),
)
@settings(max_examples=30, deadline=None)
def test_images_are_gathered_and_scaled_to_the_bit(images: Any, data: st.DataObject) -> None:
    indices = data.draw(arrays.arrays(np.int32, st.integers(1, 40), elements=st.integers(0, 4)))
    indices %= len(images)
    ours, theirs = (
        jax.jit(its.gather)(jnp.asarray(images), jnp.asarray(indices)) for its in (NATIVE, PLAIN)
    )
    chex.assert_shape(ours, (len(indices), *images.shape[1:]))
    chex.assert_type(ours, jnp.float32)
    np.testing.assert_array_equal(ours, theirs)


def test_a_batch_of_many_images_is_gathered_on_several_threads() -> None:
    key = jax.random.key(0)
    images = jax.random.randint(key, (300, 64, 64, 1), 0, 256).astype(jnp.uint8)
    indices = jax.random.randint(key, (257,), 0, 300)
    ours, theirs = (jax.jit(its.gather)(images, indices) for its in (NATIVE, PLAIN))
    np.testing.assert_array_equal(ours, theirs)


def test_images_of_another_type_are_gathered_by_jax() -> None:
    images = jnp.linspace(0, 255, 24, dtype=jnp.float32).reshape(3, 2, 2, 2)
    indices = jnp.array([2, 0])
    np.testing.assert_array_equal(NATIVE.gather(images, indices), PLAIN.gather(images, indices))


@pytest.mark.parametrize("count", [1, 2, 3, 100, 1626, 5000])
def test_the_order_of_examples_is_that_of_jax(count: int) -> None:
    """1626 is where JAX begins to sort twice."""
    for seed in range(3):
        key = jax.random.key(seed)
        np.testing.assert_array_equal(
            NATIVE.permutation(key, count), jax.random.permutation(key, count)
        )


@given(st.lists(st.integers(0, 6) | st.integers(0, 2**32 - 1), min_size=1, max_size=50))
@settings(max_examples=30, deadline=None)
def test_equal_keys_keep_their_order(numbers: list[int]) -> None:
    keys = np.array(numbers, np.uint32)
    values = np.arange(len(keys), dtype=np.int32)
    result = jax.ShapeDtypeStruct(values.shape, jnp.int32)
    (order,) = call("SortByKeys", [result], (jnp.asarray(keys), jnp.asarray(values)))
    np.testing.assert_array_equal(order, np.argsort(keys, kind="stable"))


def tree(seed: int, scale: float) -> dict[str, jax.Array]:
    keys = jax.random.split(jax.random.key(seed), len(SHAPES))
    return {
        name: scale * jax.random.normal(key, shape)
        for (name, shape), key in zip(SHAPES.items(), keys, strict=True)
    }


def trained(rule: optax.GradientTransformation, seed: int = 0) -> Any:
    """Parameters and the optimizer's state after some steps."""
    params = tree(seed, 0.1)
    state = rule.init(params)
    for step in range(6):
        updates, state = jax.jit(rule.update)(tree(10 * seed + step + 1, 1.0), state, params)
        params = optax.apply_updates(params, updates)
    return params, jax.tree.leaves(state)


@pytest.mark.parametrize("optimizer", ONES, ids=repr)
@pytest.mark.parametrize("rate", [0.3, optax.linear_schedule(1.0, 0.1, 5)], ids=["", "schedule"])
def test_optimizers_step_as_optax_does(optimizer: Optimizer, rate: Any) -> None:
    ours, theirs = (trained(its.optimizer(optimizer, rate)) for its in (NATIVE, PLAIN))
    chex.assert_trees_all_close(ours[0], theirs[0], rtol=1e-5, atol=1e-5)
    chex.assert_trees_all_close(ours[1], theirs[1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", ONES, ids=repr)
def test_a_state_serves_every_lowering(optimizer: Optimizer) -> None:
    ours, theirs = (its.optimizer(optimizer, 0.1).init(tree(0, 1.0)) for its in (NATIVE, PLAIN))
    chex.assert_trees_all_equal_structs(ours, theirs)
    chex.assert_trees_all_equal(ours, theirs)


def test_seeds_side_by_side_step_as_each_alone() -> None:
    rule = NATIVE.optimizer(Adadelta(), 1.0)

    def step(params: Any, gradients: Any) -> Any:
        return rule.update(gradients, rule.init(params))

    each = [(tree(1, 0.1), tree(3, 0.1)), (tree(2, 0.1), tree(4, 0.1))]
    stacked = jax.tree.map(lambda *of: jnp.stack(of), *each)
    alone = jax.tree.map(lambda *of: jnp.stack(of), *(step(*one) for one in each))
    chex.assert_trees_all_equal(jax.vmap(step)(*stacked), alone)


def test_what_the_kernels_do_not_know_is_left_to_optax() -> None:
    @dataclasses.dataclass(frozen=True)
    class Own(Adadelta):
        def build(self, learning_rate: Any) -> optax.GradientTransformation:
            return optax.sgd(learning_rate)

    for optimizer in (Own(), RMSprop(centered=True), OPTIMIZERS["sgd"]()):
        ours, theirs = (trained(its.optimizer(optimizer, 0.5)) for its in (NATIVE, PLAIN))
        chex.assert_trees_all_equal(ours, theirs)
