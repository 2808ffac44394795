"""How hosts find one another: by an address that all are given, or as JAX detects the cluster."""

import contextlib
import dataclasses
import inspect
import os
import signal
import socket
import time
import warnings
from typing import Any

from cnn_ablation.errors import InputError
from cnn_ablation.execution.hosts import ending, secret
from cnn_ablation.execution.hosts.own_address import own_address, stands_for_loopback

AUTO = "auto"
# Host 0 may work alone for long, at a study's timing say, while the others wait for it to end.
_SHUTDOWN_SECONDS = 7 * 24 * 3600


@dataclasses.dataclass(frozen=True)
class HostOptions:
    """The hosts of a run, as the flags of these names say.

    Attributes:
        coordinator: `HOST:PORT` of host 0, `auto` for JAX's own detection, None for one host.
        num_hosts: how many hosts there are.
        host: which of them this is, counted from 0.
        heartbeat_seconds: how long a host may be silent before it counts as gone.
        join_seconds: how long to wait for the others at the start.
        secret_file: file with the secret that all hosts know; None is a variable, or a file in the
            user's cache.
    """

    coordinator: str | None = None
    num_hosts: int | None = None
    host: int | None = None
    heartbeat_seconds: int = 30
    join_seconds: int = 300
    secret_file: str | None = None

    def check(self) -> None:
        """Finds mistakes that can be seen without a network.

        Raises:
            InputError: a value is not allowed, or does not fit the others.
        """
        for name in ("heartbeat_seconds", "join_seconds"):
            if getattr(self, name) < 1:
                _refuse(name, getattr(self, name), "must be a whole number of 1 or more")
        if self.coordinator is not None:
            secret.given(self.secret_file)
        elif self.secret_file is not None:
            _refuse("secret_file", self.secret_file, "needs --coordinator, which names host 0")
        if self.coordinator is None or self.coordinator == AUTO:
            for name in ("num_hosts", "host"):
                if getattr(self, name) is not None:
                    allowed = "must be left out with --coordinator=auto, which finds it"
                    if self.coordinator is None:
                        allowed = "needs --coordinator=HOST:PORT, the address of host 0"
                    _refuse(name, getattr(self, name), allowed)
            return
        self.address()
        if self.num_hosts is None or self.num_hosts < 1:
            _refuse("num_hosts", self.num_hosts, "must be 1 or more with --coordinator=HOST:PORT")
        elif self.host is None or not 0 <= self.host < self.num_hosts:
            _refuse("host", self.host, f"must be from 0 to {self.num_hosts - 1}, another on each")

    def address(self) -> tuple[str, int]:
        """Host 0's name and port.

        Raises:
            InputError: the coordinator is not written as HOST:PORT.
        """
        name, _, port = (self.coordinator or "").rpartition(":")
        if not (name and port.isdecimal() and 0 < int(port) < 2**16):
            _refuse(
                "coordinator", self.coordinator, "must be HOST:PORT with a port to 65535, or auto"
            )
        return name.strip("[]"), int(port)


def quiet_jax(options: HostOptions) -> None:
    """Silences JAX's log where there are several hosts; must come before JAX is loaded.

    Its log of a lost host is a stack trace; `supervising` says the same in a line.
    """
    if options.coordinator is not None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "4")


def join(options: HostOptions) -> None:
    """Waits until all hosts are there; must come before JAX touches a device.

    Host 0 alone keeps its standard output. From here on a host that is lost ends the others within
    the heartbeat: each with one line, where `supervise` was called before.

    Raises:
        InputError: an option is not allowed, or host 0 cannot be reached.
    """
    options.check()
    if options.coordinator is None:
        return
    given: dict[str, Any] = {}
    if options.coordinator != AUTO:
        _require_known(options)
    if options.num_hosts != 1:
        require_reachable(options)
    if options.coordinator != AUTO:
        given = {
            "coordinator_address": options.coordinator,
            "num_processes": options.num_hosts,
            "process_id": options.host,
            # Or JAX looks for clusters all the same, and trips over half of one's variables.
            "cluster_detection_method": "deactivate",
        }
        _find(options)
    ending.joining(options.coordinator, options.heartbeat_seconds, options.join_seconds)
    _initialize(given, options)
    if not is_lead():
        _silence()


def require_reachable(options: HostOptions) -> None:
    """Refuses a host whose own name means this machine alone: Gloo listens at it.

    Debian and Ubuntu give a machine's name the address 127.0.1.1.

    Raises:
        InputError: the name stands for a loopback address, and host 0's does not.
    """
    name = socket.gethostname()
    target = None if options.coordinator == AUTO else options.address()[0]
    # What else JAX detects has collectives of its own, or says nothing of how many machines.
    if target is None and os.environ.get("SLURM_JOB_NUM_NODES", "1") == "1":
        return
    if not stands_for_loopback(name) or (target is not None and stands_for_loopback(target)):
        return
    address = own_address(target) if target else None
    raise InputError(
        f"this host's own name, {name}, stands for a loopback address in /etc/hosts, where no "
        f"other host can reach it: give it its address on the network there, as in "
        f"'{address or '10.0.0.5'} {name}'"
    )


def is_lead() -> bool:
    """Whether this is host 0, which prints and writes; a host alone is."""
    return ending.host() == 0


def host_count() -> int:
    """How many hosts there are."""
    return ending.count()


def _initialize(given: dict[str, Any], options: HostOptions) -> None:
    import jax

    if "shutdown_timeout_seconds" in inspect.signature(jax.distributed.initialize).parameters:
        given["shutdown_timeout_seconds"] = _SHUTDOWN_SECONDS
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        with warnings.catch_warnings():
            # In a Kubernetes pod it warns in ten lines of a package that it lacks.
            warnings.filterwarnings("ignore", message="(?s).*Kubernetes environment detected")
            jax.distributed.initialize(
                **given,
                initialization_timeout=options.join_seconds,
                heartbeat_timeout_seconds=options.heartbeat_seconds,
            )
    except (ValueError, KeyError) as error:
        if options.coordinator != AUTO:
            raise
        _refuse("coordinator", AUTO, _undetected(error))
    # JAX takes SIGTERM for notices of preemption, of which nothing here makes use.
    signal.signal(signal.SIGTERM, on_sigterm)
    ending.joined(jax.process_index(), jax.process_count())


def _undetected(error: Exception) -> str:
    """Why JAX cannot tell what the cluster is."""
    if isinstance(error, KeyError):
        name = error.args[0] if error.args else "?"
        return (
            f"the variables of a cluster are there, but not {name}; start the command by its "
            "launcher (srun, mpirun), or give HOST:PORT"
        )
    pod = "; in a Kubernetes pod it needs the package kubernetes"
    return (
        "JAX finds no TPU pod, Slurm or Open MPI job here"
        f"{pod if 'KUBERNETES_SERVICE_HOST' in os.environ else ''}; give HOST:PORT"
    )


def _require_known(options: HostOptions) -> None:
    name, port = options.address()
    try:
        socket.getaddrinfo(name, port)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no name of a host"
        _refuse("coordinator", options.coordinator, f"{name} is not known here ({reason})")


def _find(options: HostOptions) -> None:
    """Fails early and clearly where JAX would only give up after a while."""
    name, port = options.address()
    if options.host == 0:
        try:
            with socket.create_server(("", port)):
                return
        except OSError as error:
            _refuse("coordinator", options.coordinator, f"host 0 cannot listen ({error.strerror})")
    end = time.monotonic() + options.join_seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((name, port), timeout=5):
            return
        time.sleep(0.2)
    _refuse(
        "coordinator",
        options.coordinator,
        f"host 0 did not answer within {options.join_seconds} s; is it started, the port open?",
    )


def _silence() -> None:
    """Standard output is host 0's; libraries below Python write to it too."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _refuse(name: str, value: object, allowed: str) -> None:
    given = "" if value is None else f"={value}"
    raise InputError(f"--{name}{given}: {allowed}")
