"""Hosts made of network namespaces on a bridge: an address, a name and processes of their own.

Needs root, iproute2 and util-linux; `missing()` says what is not there.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_ENTER = """
hostname "$1"; mount --bind "$2" /etc/hosts; mount -t tmpfs tmpfs /dev/shm; shift 2
mkdir -p /tmp/ray; mount -t tmpfs tmpfs /tmp/ray; exec "$@"
"""


def missing() -> str:
    """Why there can be no such hosts here; empty where there can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "needs root"
    tools = [tool for tool in ("ip", "unshare", "nsenter", "mount") if shutil.which(tool) is None]
    if tools:
        return f"needs {', '.join(tools)}"
    probe = ("unshare", "--net", "--mount", "--uts", "--pid", "--fork", "ip", "link", "show", "lo")
    try:
        subprocess.run(probe, capture_output=True, check=True)
        with network(1):
            return ""
    except subprocess.CalledProcessError:
        return "namespaces are not allowed here"


class Network:
    """So many hosts on one bridge.

    Attributes:
        names: of the hosts: `node1` and on.
    """

    def __init__(self, folder: Path) -> None:
        """Names the folder of the hosts' files; there is no host yet."""
        self._mark, self._folder = f"c{os.getpid() % 10_000}", folder
        self.names: list[str] = []

    def add(self, count: int) -> None:
        """Makes the bridge and so many hosts; `close` takes them down, also half of them."""
        self.names = [f"node{number}" for number in range(1, count + 1)]
        lines = [f"{self.address(name)} {name}" for name in self.names]
        (self._folder / "hosts").write_text("127.0.0.1 localhost\n" + "\n".join(lines) + "\n")
        self._ip("netns", "add", f"{self._mark}sw")
        self._ip("-n", f"{self._mark}sw", "link", "add", "br0", "type", "bridge")
        self._ip("-n", f"{self._mark}sw", "link", "set", "br0", "up")
        for name in self.names:
            self._add(name)

    @staticmethod
    def address(name: str) -> str:
        """A host's address."""
        return f"10.79.0.{name.removeprefix('node')}"

    def as_debian_writes(self, name: str) -> None:
        """From now on the host's own name stands for 127.0.1.1 there."""
        text = (self._folder / "hosts").read_text()
        changed = text.replace(f"{self.address(name)} {name}", f"127.0.1.1 {name}")
        (self._folder / f"hosts.{name}").write_text(changed)

    def space(self, name: str) -> str:
        """The network namespace of a host."""
        return f"{self._mark}{name}"

    def rename(self, addresses: Mapping[str, str]) -> None:
        """From now on names stand for other addresses, on all hosts.

        Args:
            addresses: by the hosts' names.
        """
        text = (self._folder / "hosts").read_text()
        for name, address in addresses.items():
            text = text.replace(f"{self.address(name)} {name}", f"{address} {name}")
        (self._folder / "hosts").write_text(text)

    def set_link(self, name: str, state: str) -> None:
        """Takes a host's link `up` or `down`."""
        self._ip("-n", f"{self._mark}sw", "link", "set", f"p{name}", state)

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        """Starts a command as on a host; when it is killed, all its processes are."""
        own = self._folder / f"hosts.{name}"
        hosts = own if own.exists() else self._folder / "hosts"
        enter = ("nsenter", f"--net=/run/netns/{self._mark}{name}")
        apart = ("unshare", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        return subprocess.Popen(
            [*enter, *apart, "bash", "-c", _ENTER, "bash", name, str(hosts), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(environment),
            start_new_session=True,
        )

    def close(self) -> None:
        """Takes all down."""
        for name in (*self.names, "sw"):
            subprocess.run(
                ["ip", "netns", "del", f"{self._mark}{name}"], capture_output=True, check=False
            )

    def _add(self, name: str) -> None:
        space, switch = f"{self._mark}{name}", f"{self._mark}sw"
        self._ip("netns", "add", space)
        self._ip("-n", space, "link", "set", "lo", "up")
        pair = ("type", "veth", "peer", "name", f"p{name}", "netns", switch)
        self._ip("link", "add", "eth1", "netns", space, *pair)
        self._ip("-n", switch, "link", "set", f"p{name}", "master", "br0", "up")
        self._ip("-n", space, "addr", "add", f"{self.address(name)}/24", "dev", "eth1")
        self._ip("-n", space, "link", "set", "eth1", "up")

    @staticmethod
    def _ip(*words: str) -> None:
        subprocess.run(["ip", *words], capture_output=True, check=True)


@contextlib.contextmanager
def network(count: int) -> Iterator[Network]:
    """Hosts for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        made = Network(Path(folder))
        try:
            made.add(count)
            yield made
        finally:
            made.close()


def end(process: subprocess.Popen[str]) -> None:
    """Ends a host's command whatever it is at."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
