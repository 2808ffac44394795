"""Which devices train what: a mesh with an axis of seeds and an axis of batch shards."""

from collections.abc import Sequence

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from cnn_ablation.errors import InputError
from cnn_ablation.training import BATCH_AXIS

SEED_AXIS = "seed"


def choose_devices(count: int | None, seeds: int) -> list[jax.Device]:
    """The devices to train on.

    Args:
        count: how many; None is one per seed as far as there are any.
        seeds: how many seeds are to be trained.

    Raises:
        InputError: there are not that many.
    """
    devices = jax.devices()
    if count is None:
        return devices[:seeds]
    if not 1 <= count <= len(devices):
        raise InputError(
            f"--devices={count}: must be from 1 to {len(devices)}, the {devices[0].platform} "
            "devices that JAX finds here"
        )
    return devices[:count]


def mesh_shape(devices: int, seeds: int) -> tuple[int, int]:
    """Spreads seeds over devices first, which needs no communication, and batches over the rest.

    Returns:
        (rows, shards): how many seeds train side by side, and on how many devices each. The rows
        are the largest divisor of the number of devices that is no more than the seeds.
    """
    rows = max(n for n in range(1, min(seeds, devices) + 1) if devices % n == 0)
    return rows, devices // rows


def make_mesh(devices: Sequence[jax.Device], seeds: int) -> Mesh:
    """A mesh of all the devices given, with axes of seeds and of batch shards."""
    grid = np.array(devices).reshape(mesh_shape(len(devices), seeds))
    return Mesh(grid, (SEED_AXIS, BATCH_AXIS), axis_types=(AxisType.Auto, AxisType.Auto))


def replicated(mesh: Mesh) -> NamedSharding:
    """Every device holds the whole."""
    return NamedSharding(mesh, PartitionSpec())


def by_seed(mesh: Mesh) -> NamedSharding:
    """The first axis counts seeds; each device holds those of its row."""
    return NamedSharding(mesh, PartitionSpec(SEED_AXIS))
