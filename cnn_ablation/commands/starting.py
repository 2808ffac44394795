"""How every command that trains brings JAX up, once its flags are known to be good."""

from __future__ import annotations

import os

from absl import flags

from cnn_ablation.display.status import doing
from cnn_ablation.execution import hosts
from cnn_ablation.system import paths, stopping
from cnn_ablation.system.backend import load_jax, start_jax


def start(host_options: hosts.HostOptions) -> None:
    """Loads JAX, joins the hosts of the run and finds the devices, in this order.

    Args:
        host_options: the hosts; `hosts.supervise` was called before.

    Raises:
        InputError: the environment, a host or a device is not as it must be.
        KeyboardInterrupt: a stop has come meanwhile.
    """
    _require_home()
    hosts.quiet_jax(host_options)
    with doing("starting JAX"):
        load_jax()
    hosts.join(host_options)
    with doing("finding devices"):
        start_jax()
    hosts.prove(host_options.secret_file)
    stopping.check()


def _require_home() -> None:
    """Refuses a home in which caches and datasets would come to lie in the file system's root."""
    cache = os.environ.get("CNN_ABLATION_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME")
    data = flags.FLAGS.data_dir or os.environ.get("TFDS_DATA_DIR")
    paths.require_home(cache or None, data or None)
