"""What a process knows of its run's hosts, and what people are told when the run ends early."""

import contextlib
import dataclasses
import socket


@dataclasses.dataclass
class HostState:
    """What a process knows of its run's hosts.

    Attributes:
        host: which host this is.
        count: how many there are; 1 until they have joined.
        coordinator: address of host 0, empty on one host.
        heartbeat_seconds: how long a host may be silent before it counts as gone.
        join_seconds: how long the hosts wait for one another at the start.
        joining: whether they still do.
        lost: whether a peer is known to be gone.
        folder: where results are kept, empty where they are not.
    """

    host: int = 0
    count: int = 1
    coordinator: str = ""
    heartbeat_seconds: int = 0
    join_seconds: int = 0
    joining: bool = False
    lost: bool = False
    folder: str = ""

    def describe_end(self) -> str:
        """One line on a run that ended because not all of its hosts are there."""
        if self.joining:
            return (
                f"--coordinator={self.coordinator}: the hosts did not come together within "
                f"{self.join_seconds} s: one is missing, or two have the same --host; "
                "TF_CPP_MIN_LOG_LEVEL=0 shows JAX's log"
            )
        kept = f"; what was recorded is in {self.folder}" if self.folder else ""
        return (
            f"{self._lost_host()} is gone: it ended, or was not heard of for "
            f"{self.heartbeat_seconds} s; its own messages say more{kept}"
        )

    def _lost_host(self) -> str:
        if self.count == 2:
            return f"host {1 - self.host} of 2"
        if self.host > 0 and not _answers(self.coordinator):
            return f"host 0 of {self.count}"
        return f"one of the {self.count} hosts"


def _answers(address: str) -> bool:
    name, _, port = address.rpartition(":")
    with contextlib.suppress(OSError, ValueError):
        socket.create_connection((name.strip("[]"), int(port)), timeout=1).close()
        return True
    return False
