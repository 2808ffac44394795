"""The executables of a design: the same number of seeds on every row of a mesh.

Arrays that differ between seeds carry a first axis R, and every row of the mesh holds its share of
it. Where that share is one seed the programs are those of one seed; where it is more, the seeds are
computed together, by `jax.vmap`.
"""

import dataclasses
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, PartitionSpec
from jax.stages import Compiled

from cnn_ablation.training.mesh import SEED_AXIS, by_seed, replicated
from cnn_ablation.training.state import BATCH_AXIS, Examples, Seeds, TrainConfig
from cnn_ablation.training.steps import create_train_state, evaluate_each, train_epoch
from cnn_ablation.training.xla_options import (
    compile_with,
    options_for_creating,
    options_for_epochs,
)


@dataclasses.dataclass(frozen=True)
class Executables:
    """What a trainer calls.

    Attributes:
        create: (seeds_R) -> states; seeds_R are `Seeds` of arrays.
        epoch: (states, train, seeds_R, epoch) -> (states, metrics); the states given are donated.
        evaluate: (variables, test) -> (metrics, correct_RN).
    """

    create: Compiled
    epoch: Compiled
    evaluate: Compiled


@functools.cache
def compile_executables(
    config: TrainConfig, mesh: Mesh, train: Examples, test: Examples, seeds_per_device: int = 1
) -> Executables:
    """Compiles, or finds what this process compiled before.

    Args:
        config: what is trained and how; its shards are taken from the mesh.
        mesh: the devices.
        train: shapes and types of the training split.
        test: shapes and types of the test split.
        seeds_per_device: seeds that each row of the mesh computes together.
    """
    config = config._replace(shards=mesh.shape[BATCH_AXIS])
    whole, rows = PartitionSpec(), PartitionSpec(SEED_AXIS)

    def on_rows(function: Callable[..., Any], specs: tuple[PartitionSpec, ...]) -> Any:
        of_one = functools.partial(function, config=config)
        each = _for_one_seed(of_one, specs) if seeds_per_device == 1 else _for_seeds(of_one, specs)
        return jax.shard_map(each, mesh=mesh, in_specs=specs, out_specs=rows, check_vma=False)

    # Figures go to every device, so that every host can read them.
    states_out, figures_out = by_seed(mesh), replicated(mesh)
    create = jax.jit(on_rows(create_train_state, (rows,)), out_shardings=states_out)
    epoch = jax.jit(
        on_rows(train_epoch, (rows, whole, rows, whole)),
        out_shardings=(states_out, figures_out),
        donate_argnums=0,
    )
    measure = jax.jit(on_rows(evaluate_each, (rows, whole)), out_shardings=figures_out)

    seeds = (mesh.shape[SEED_AXIS] * seeds_per_device,)
    seeds_R = Seeds.of(jax.ShapeDtypeStruct(seeds, jnp.int32, sharding=by_seed(mesh)))
    number = jax.ShapeDtypeStruct((), jnp.int32, sharding=replicated(mesh))
    traced = create.trace(seeds_R)
    states = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=by_seed(mesh)),
        traced.out_info,
    )
    platform = mesh.devices.flat[0].platform
    usual = options_for_epochs(config, platform)
    # XLA lets go of the interpreter: while it compiles one program the next is traced. The epoch's
    # takes longest and goes first.
    with ThreadPoolExecutor() as pool:
        epochs = pool.submit(compile_with, epoch.lower(states, train, seeds_R, number), usual)
        creates = pool.submit(compile_with, traced.lower(), options_for_creating(config, platform))
        measures = pool.submit(compile_with, measure.lower(states.variables, test), usual)
        return Executables(creates.result(), epochs.result(), measures.result())


def _for_seeds(
    function: Callable[..., Any], specs: tuple[PartitionSpec, ...]
) -> Callable[..., Any]:
    """A function of one seed as a function of several."""
    return jax.vmap(function, in_axes=tuple(0 if spec else None for spec in specs))


def _for_one_seed(
    function: Callable[..., Any], specs: tuple[PartitionSpec, ...]
) -> Callable[..., Any]:
    """A function of one seed as a function of arrays whose seed axis has length 1."""

    def each(*arguments: Any) -> Any:
        own = [
            jax.tree.map(lambda leaf: leaf[0], argument) if spec else argument
            for argument, spec in zip(arguments, specs, strict=True)
        ]
        return jax.tree.map(lambda leaf: leaf[None], function(*own))

    return each
