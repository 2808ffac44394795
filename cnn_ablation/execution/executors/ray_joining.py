"""How a Ray cluster is joined: what is wrong with an address or a token is found out beforehand.

Ray itself tries again for 20 s and more, says every second on standard error that it could not,
and in the end not why. gRPC, where it is installed, has the answer at once.
"""

import contextlib
import importlib
import logging
import os
import re
import socket
import sys
import tempfile
from typing import Any, Self
from urllib.parse import urlsplit

import ray
from ray._private import services

from cnn_ablation.errors import InputError

# Ray itself tries for more than a minute, and then ends the process.
_REACH_SECONDS = 5.0
FORMS = (
    "must be auto on one of the cluster's machines, HOST:6379 inside its network or "
    "ray://HOST:10001 from outside (pip install ray[client])"
)
_TOKEN = "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN to what the cluster was started with"
QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
_PROTOCOLS = ("gcs_service", "ray_client")
# Where Ray's C++ says of a call that it failed, what follows this.
_RPC_ERROR = re.compile(r"RPC error: (.*)")


def join(address: str) -> None:
    """Joins a cluster.

    Args:
        address: `auto`, host:port or ray://host:port.

    Raises:
        InputError: there is none, or it does not let this process in; the cause is kept.
    """
    try:
        reach(address)
    except Exception as error:
        reason = f"there is no Ray cluster to join: {line_of(error)}; {FORMS}"
        raise InputError(f"--ray_address={address}: {reason}") from error
    captured = _Captured()
    try:
        _ask(address)
        with captured:
            ray.init(address=address, **QUIET)
    except Exception as error:
        reason = _reason(error, captured.text)
        raise InputError(f"--ray_address={address}: {reason}") from error
    # A head that is gone is said by who finds out, in a line.
    for name in ("ray.util.client", "ray.util.client.logsclient"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def reach(address: str) -> None:
    """Raises what is the matter where nobody listens at an address."""
    host, port = _place(address)
    socket.create_connection((host, port), _REACH_SECONDS).close()


def line_of(error: Exception) -> str:
    """The first line of what an error says; with the last one where it only announces that."""
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    return f"{lines[0]} {lines[-1].strip()}" if lines[0].endswith(":") else lines[0]


def _place(address: str) -> tuple[str, int]:
    if address == "auto":
        address = services.canonicalize_bootstrap_address_or_die(address)
    parts = urlsplit(address if "://" in address else f"//{address}")
    if not parts.hostname or not parts.port or parts.scheme not in ("", "ray"):
        raise ValueError("no such form")
    return parts.hostname, parts.port


class _RefusedError(Exception):
    """Somebody answers, but does not let us in."""


def _ask(address: str) -> None:
    """Asks who is there, as Ray would; says nothing where gRPC, or this part of Ray, is missing.

    Raises:
        _RefusedError: it is no cluster, or wants another token.
    """
    try:
        load: Any = importlib.import_module
        grpc, channels = load("grpc"), load("ray._private.grpc_utils")
        gcs, client = (load(f"ray.core.generated.{name}_pb2") for name in _PROTOCOLS)
        gcs_calls, client_calls = (
            load(f"ray.core.generated.{name}_pb2_grpc") for name in _PROTOCOLS
        )
    except ImportError:
        return
    host, port = _place(address)
    with contextlib.closing(channels.init_grpc_channel(f"{host}:{port}")) as channel:
        try:
            if "://" in address:
                ping = client.ClusterInfoRequest(type=client.ClusterInfoType.PING)
                client_calls.RayletDriverStub(channel).ClusterInfo(ping, timeout=_REACH_SECONDS)
            else:
                stub = gcs_calls.NodeInfoGcsServiceStub(channel)
                stub.GetClusterId(gcs.GetClusterIdRequest(), timeout=_REACH_SECONDS)
        except grpc.RpcError as error:
            raise _RefusedError(error.code().name, error.details()) from error


def _reason(error: Exception, said: str) -> str:
    """Why a cluster that answers cannot be joined, and what to do, in a line."""
    told = str(error).strip()
    told = f"{told} {' '.join(_RPC_ERROR.findall(said)[-1:])}".strip()
    if "version mismatch" in told.lower():
        found = dict(re.findall(r"(Ray|Python): (\S+)", told)[:2])
        cluster = " and ".join(f"{name} {version}" for name, version in found.items())
        here = f"Ray {ray.__version__} and Python {'.'.join(map(str, sys.version_info[:3]))}"
        return f"the cluster has {cluster}, this process {here}; start the command with the same"
    if re.search(r"token|unauthenticated", told, re.IGNORECASE):
        return f"the cluster does not accept this process's token: {_TOKEN}"
    if isinstance(error, _RefusedError) and error.args[0] == "UNIMPLEMENTED":
        return f"what answers there does not serve this form of address; {FORMS}"
    if isinstance(error, _RefusedError):
        return f"there is no Ray cluster to join: {': '.join(error.args)}; {FORMS}"
    return f"there is no Ray cluster to join: {line_of(error)}; {FORMS}"


class _Captured:
    """Keeps what comes to standard error while the block lasts from people.

    Ray's C++ writes to the descriptor, not to Python's stream.

    Attributes:
        text: what came.
    """

    text = ""

    def __enter__(self) -> Self:
        self._file = tempfile.TemporaryFile()
        self._kept = -1
        # Where standard error is closed there is nothing to keep.
        with contextlib.suppress(OSError):
            self._kept = os.dup(2)
            os.dup2(self._file.fileno(), 2)
        return self

    def __exit__(self, *_: object) -> None:
        if self._kept >= 0:
            os.dup2(self._kept, 2)
            os.close(self._kept)
        self._file.seek(0)
        self.text = self._file.read().decode(errors="replace")
        self._file.close()
