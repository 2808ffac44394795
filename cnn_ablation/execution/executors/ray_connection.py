"""A connection to a Ray cluster: one that is there, or one on this machine that ends with it."""

import contextlib
import math
import os
import secrets
import shutil
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

import ray

from cnn_ablation.errors import InputError, PeerLostError
from cnn_ablation.execution.executors.cores import available_cores
from cnn_ablation.execution.executors.ray_joining import QUIET, join, line_of, reach

# A head that is not reached so often, a second apart, is gone.
_ATTEMPTS = 5
# Hardly anything is shared through it; Ray takes no less than 75 MiB. Containers have 64 MiB of
# shared memory by default; beyond that Ray uses a file.
_STORE_BYTES = 100_000_000


class Connection:
    """A cluster in use.

    Attributes:
        local: whether it is one on this machine that only we use.
    """

    def __init__(self, address: str) -> None:
        """Connects.

        Args:
            address: `auto`, host:port, ray://host:port, or empty to start one here.

        Raises:
            InputError: there is none at the address.
        """
        self.local = not address
        self._folder: str | None = None
        with _own_signal_handlers():
            if self.local:
                self._start()
            else:
                join(address)
        # That of a Ray Client is where it connected: the rest is behind it.
        self._head = address if "://" in address else str(ray.get_runtime_context().gcs_address)

    def room(self, resources: Mapping[str, float]) -> int:
        """How many workers find room side by side, if nobody else is there.

        Args:
            resources: what each takes, by Ray's names: CPU, GPU, TPU.
        """
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        return sum(
            min(math.floor(machine.get(name, 0) / amount) for name, amount in resources.items())
            for machine in machines
        )

    def require_head(self) -> None:
        """Finds out whether the cluster's head is there; Ray itself ends the process otherwise.

        Raises:
            PeerLostError: it could not be reached, several times in a row.
        """
        for attempt in range(_ATTEMPTS):
            try:
                reach(self._head)
                return
            except OSError as error:
                reason = error.strerror or type(error).__name__
            if attempt < _ATTEMPTS - 1:
                time.sleep(1.0)
        raise PeerLostError(f"Ray's head at {self._head} is gone ({reason})")

    def require_client(self, error: BaseException) -> None:
        """Tells an error that comes of a Ray Client without its head from others.

        Args:
            error: what a call of Ray's, or anything else, has raised.

        Raises:
            PeerLostError: the client has lost its head, and has given up.
        """
        if "://" in self._head and isinstance(error, Exception) and not ray.is_initialized():
            raise PeerLostError(f"Ray's head at {self._head} is gone ({line_of(error)})") from error

    def close(self) -> None:
        """Leaves the cluster; a local one ends, and so do all of its processes."""
        with _own_signal_handlers():
            ray.shutdown()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self) -> None:
        # A short path: names of sockets are made from it, and must be shorter than 104 bytes.
        short = "/tmp" if Path("/tmp").is_dir() else None
        self._folder = tempfile.mkdtemp(prefix="ray", dir=short)
        if "RAY_AUTH_TOKEN_PATH" not in os.environ:
            # Else Ray makes up a secret too, but leaves it in the user's home.
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        try:
            # JAX warns of every fork, but what Ray forks for is to start another program.
            warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
            ray.init(
                address="local",
                num_cpus=len(available_cores()),
                object_store_memory=_STORE_BYTES,
                include_dashboard=False,
                _temp_dir=self._folder,
                **QUIET,
            )
        except Exception as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise InputError(f"--executor=ray: Ray cannot start here: {line_of(error)}") from error


@contextlib.contextmanager
def _own_signal_handlers() -> Iterator[None]:
    """Puts signal handlers back that Ray replaces by its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
