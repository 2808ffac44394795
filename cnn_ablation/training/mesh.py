"""Which devices train what: a mesh with an axis of seeds and an axis of batch shards."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from cnn_ablation.errors import InputError
from cnn_ablation.training.state import BATCH_AXIS

SEED_AXIS = "seed"


def choose_devices(count: int | None, seeds: int, seeds_per_device: int = 1) -> list[jax.Device]:
    """The devices to train on.

    Args:
        count: how many; None is as many as the seeds fill, as far as there are any.
        seeds: how many seeds are to be trained.
        seeds_per_device: how many of them a device trains together.

    On several hosts they are as many on each, since every host must take part, and then at least
    one on each.

    Raises:
        InputError: there are not that many, or a device is to train no seed.
    """
    if seeds_per_device < 1:
        raise InputError(f"--seeds_per_device={seeds_per_device}: must be 1 or more")
    devices = jax.devices()
    if jax.process_count() > 1:
        return _on_every_host(devices, count, -(-seeds // seeds_per_device))
    if count is None:
        return devices[: -(-seeds // seeds_per_device)]
    if not 1 <= count <= len(devices):
        raise InputError(
            f"--devices={count}: must be from 1 to {len(devices)}, the {devices[0].platform} "
            "devices that JAX finds here"
        )
    return devices[:count]


def _on_every_host(
    devices: Sequence[jax.Device], count: int | None, filled: int
) -> list[jax.Device]:
    hosts = jax.process_count()
    owned = [[device for device in devices if device.process_index == i] for i in range(hosts)]
    fewest = min(map(len, owned))
    if count is None:
        count = hosts * max(1, min(filled // hosts, fewest))
    if count % hosts or not hosts <= count <= hosts * fewest:
        raise InputError(
            f"--devices={count}: must be a multiple of the {hosts} hosts, {hosts} to "
            f"{hosts * fewest}: as many {devices[0].platform} devices on each"
        )
    return [device for own in owned for device in own[: count // hosts]]


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


def place(tree: Any, sharding: NamedSharding) -> Any:
    """Host arrays, the same on every host, as device arrays; each host builds its own shards."""

    def place_one(array: Any) -> jax.Array:
        if sharding.is_fully_addressable:
            return jax.device_put(array, sharding)
        array = np.asarray(array)
        return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])

    return jax.tree.map(place_one, tree)


def gather(tree: Any, mesh: Mesh) -> Any:
    """Device arrays of which every host holds the whole; where there is one host, as they are."""
    whole = replicated(mesh)
    if whole.is_fully_addressable:
        return tree
    everywhere = jax.jit(lambda leaves: leaves, out_shardings=whole)(tree)
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), everywhere)
