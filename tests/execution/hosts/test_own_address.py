"""A host whose own name is a loopback address is told so, before the others wait for it."""

import socket
from typing import Any

import pytest

from cnn_ablation.errors import InputError
from cnn_ablation.execution.hosts import joining
from cnn_ablation.execution.hosts.joining import HostOptions, require_reachable
from cnn_ablation.execution.hosts.own_address import own_address, stands_for_loopback

NAMES = {
    "debian": ["127.0.1.1"],
    "both": ["127.0.1.1", "10.77.0.1"],
    "six": ["::1"],
    "scoped": ["fe80::1%eth0"],
    "node1": ["10.77.0.1"],
    "localhost": ["127.0.0.1", "::1"],
}


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, *_: Any, **__: Any) -> list[Any]:
        if name not in NAMES:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (a, 0)) for a in NAMES[name]]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.delenv("SLURM_JOB_NUM_NODES", raising=False)


@pytest.mark.parametrize(
    ("name", "loopback"),
    [("debian", True), ("six", True), ("localhost", True), ("both", False), ("scoped", False)],
)
def test_what_a_name_stands_for(name: str, loopback: bool) -> None:
    assert stands_for_loopback(name) is loopback


def test_a_name_that_is_not_known_is_no_loopback() -> None:
    assert not stands_for_loopback("nowhere") and own_address("nowhere") is None


@pytest.mark.parametrize(
    ("own", "coordinator", "nodes", "refused"),
    [
        ("debian", "node1:4000", None, True),
        ("debian", "localhost:4000", None, False),
        ("node1", "node1:4000", None, False),
        ("debian", "auto", "2", True),
        ("debian", "auto", "1", False),
        ("debian", "auto", None, False),
    ],
)
def test_who_is_refused(
    own: str, coordinator: str, nodes: str | None, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: own)
    if nodes is not None:
        monkeypatch.setenv("SLURM_JOB_NUM_NODES", nodes)
    options = HostOptions(coordinator)
    if not refused:
        require_reachable(options)
        return
    with pytest.raises(InputError, match=r"own name, debian, stands for a loopback .*'\S+ debian'"):
        require_reachable(options)


def test_half_a_cluster_s_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "but not OMPI_COMM_WORLD_SIZE; start" in joining._undetected(
        KeyError("OMPI_COMM_WORLD_SIZE")
    )
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert "finds no TPU pod" in joining._undetected(ValueError("coordinator_address"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert "needs the package kubernetes" in joining._undetected(ValueError("x"))
