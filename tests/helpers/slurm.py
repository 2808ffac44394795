"""A Slurm of two nodes on one machine, in the hosts that `namespaces` makes.

Needs Debian's slurmctld, slurmd, slurm-client and munge beside what `namespaces` needs.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import namespaces

_TOOLS = ("slurmctld", "slurmd", "sinfo", "sbatch", "munged")
_CONFIGURATION = """
ClusterName=test
SlurmctldHost=node1({address})
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
ProctrackType=proctrack/linuxproc
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
SlurmdTimeout=15
KillWait=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
NodeName=node[1-2] CPUs=2 CoresPerSocket=2 RealMemory=4000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP
"""


def missing() -> str:
    """Why there can be no Slurm here; empty where there can."""
    lacking = [tool for tool in _TOOLS if shutil.which(tool) is None]
    return namespaces.missing() or (f"needs {', '.join(lacking)}" if lacking else "")


class Cluster:
    """Slurm on two hosts."""

    def __init__(self, hosts: namespaces.Network, folder: Path) -> None:
        """Starts the daemons and waits until both nodes are idle; `close` ends them.

        Raises:
            TimeoutError: they did not become so; the message has the controller's log.
        """
        self._hosts, self._folder = hosts, folder
        self._daemons: list[subprocess.Popen[str]] = []
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
        text = _CONFIGURATION.format(address=hosts.address("node1"), folder=folder)
        (folder / "slurm.conf").write_text(text)
        for name in ("state", "spool.node1", "spool.node2"):
            (folder / name).mkdir()
        self._start_munge()
        self._nodes: dict[str, subprocess.Popen[str]] = {}
        self._daemons.append(self._daemon("node1", "slurmctld", "-D"))
        for name in hosts.names:
            self._start_node(name)
        self._wait_until_idle()

    def submit(self, script: Path, *command: str, patience: float) -> str:
        """Runs a batch script on both nodes; returns what it printed.

        Raises:
            subprocess.TimeoutExpired: it took too long.
            AssertionError: it failed.
        """
        out = self._folder / "job.out"
        words = ("sbatch", "--wait", "--nodes=2", f"--output={out}", str(script), *command)
        process = self._hosts.start("node1", words, self.environment)
        try:
            _, errors = process.communicate(timeout=patience)
        finally:
            namespaces.end(process)
        printed = out.read_text() if out.exists() else ""
        assert process.returncode == 0, f"{errors}\n{printed}"
        return printed

    def begin(self, words: Sequence[str]) -> subprocess.Popen[str]:
        """Starts one of Slurm's commands on the first node."""
        return self._hosts.start("node1", words, self.environment)

    def kill_node(self, name: str) -> None:
        """Ends a node with all that runs there, as where its power fails."""
        namespaces.end(self._nodes.pop(name))

    def restart_node(self, name: str) -> None:
        """Brings a node that was killed back, and waits until both are idle."""
        self._start_node(name)
        self._wait_until_idle()

    def _start_node(self, name: str) -> None:
        self._nodes[name] = self._daemon(name, "slurmd", "-D", "-N", name)

    def close(self) -> None:
        """Ends the daemons with all that they started."""
        for process in (*self._daemons, *self._nodes.values()):
            namespaces.end(process)

    def _start_munge(self) -> None:
        key = self._folder / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        names = {"socket": "munge.sock", "pid-file": "munged.pid", "log-file": "munged.log"}
        names |= {"seed-file": "munge.seed", "key-file": "munge.key"}
        words = [f"--{option}={self._folder / name}" for option, name in names.items()]
        self._daemons.append(_quiet(("munged", "--force", "--foreground", *words)))

    def _daemon(self, host: str, *words: str) -> subprocess.Popen[str]:
        log = self._folder / f"{words[0]}.{host}.out"
        shell = ("bash", "-c", f'exec "$@" >{log} 2>&1', "bash", *words)
        return self._hosts.start(host, shell, self.environment)

    def _wait_until_idle(self, patience: float = 60.0) -> None:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            asked = self._hosts.start("node1", ("sinfo", "-h", "-o", "%D %t"), self.environment)
            if asked.communicate(timeout=patience)[0].strip() == "2 idle":
                return
            time.sleep(0.5)
        log = self._folder / "slurmctld.log"
        raise TimeoutError(log.read_text()[-2000:] if log.exists() else "Slurm did not start")


def _quiet(words: tuple[str, ...]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Slurm for as long as the block lasts."""
    with namespaces.network(2) as hosts, tempfile.TemporaryDirectory() as folder:
        # Munge wants every folder above its socket to be its user's alone to write to.
        Path(folder).chmod(0o755)
        made = Cluster(hosts, Path(folder))
        try:
            yield made
        finally:
            made.close()
