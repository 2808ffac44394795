"""The secret that hosts share: who does not know it is not believed, and it is never shown."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jax.experimental import multihost_utils

from cnn_ablation.errors import InputError
from cnn_ablation.execution.hosts import HostOptions, ending, messages, secret
from cnn_ablation.execution.hosts.state import HostState

KNOWN = "0123456789abcdef"


def file_of(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "secret"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_flag_goes_before_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(secret.VARIABLE, raising=False)
    assert secret.given(None) is None
    monkeypatch.setenv(secret.VARIABLE, KNOWN)
    assert secret.given(None) == KNOWN.encode()
    assert secret.given(file_of(tmp_path, f"{KNOWN}{KNOWN}\n")) == (KNOWN * 2).encode()


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        ("short", 0o600, "a secret must have 16 characters or more"),
        ("", 0o600, "a secret must have 16 characters or more"),
        (KNOWN, 0o640, "must be a file of yours with mode 600"),
        (KNOWN, 0o604, "must be a file of yours with mode 600"),
    ],
)
def test_a_file_that_will_not_do_is_named(text: str, mode: int, says: str, tmp_path: Path) -> None:
    path = file_of(tmp_path, text, mode)
    with pytest.raises(InputError) as why:
        HostOptions("h:1", 2, 0, secret_file=path).check()
    assert str(why.value) == f"--secret_file={path}: {says}"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--secret_file=.*nowhere: cannot be read \(No such"):
        HostOptions("h:1", 2, 0, secret_file=str(tmp_path / "nowhere")).check()
    with pytest.raises(InputError, match="--secret_file=x: needs --coordinator"):
        HostOptions(secret_file="x").check()


def test_without_one_the_users_own_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNN_ABLATION_CACHE_DIR", str(tmp_path / "cache"))
    first = secret._own()
    assert len(first) == 64 and secret._own() == first
    (path,) = (tmp_path / "cache" / "hosts").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(InputError, match="must be a file of yours with mode 600"):
        secret._own()


class Wire:
    """Stands for the collectives of two hosts: what host 0 sends is kept, for host 1 to get."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[Any] = []
        self.host = 0
        self.proofs: dict[int, np.ndarray] = {}
        monkeypatch.setattr(ending, "_state", HostState(count=2))
        monkeypatch.setattr(multihost_utils, "broadcast_one_to_all", self.broadcast)
        monkeypatch.setattr(multihost_utils, "process_allgather", self.gather)

    def be(self, host: int) -> None:
        self.host = ending._state.host = host

    def broadcast(self, value: np.ndarray) -> np.ndarray:
        if self.host == 0:
            self.sent.append(np.array(value))
            return value
        return self.sent.pop(0)

    def gather(self, proof: np.ndarray) -> np.ndarray:
        self.proofs[self.host] = proof
        blank = np.zeros(secret.MAC_BYTES, np.uint8)
        return np.stack([self.proofs.get(host, blank) for host in (0, 1)])


def prove(wire: Wire, host: int, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wire.be(host)
    monkeypatch.setattr(secret, "session", secret.Session())
    monkeypatch.setenv(secret.VARIABLE, text)
    secret.prove(None)


def test_a_host_without_the_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(monkeypatch)
    with pytest.raises(InputError, match="host 0: host 1 has another secret"):
        prove(wire, 0, KNOWN, monkeypatch)
    with pytest.raises(InputError, match="host 1: host 0 has another secret") as why:
        prove(wire, 1, KNOWN[::-1], monkeypatch)
    assert KNOWN not in str(why.value) and str(why.value).isprintable()


@pytest.mark.parametrize("alter", ["nothing", "content", "signature", "order", "again", "length"])
def test_what_is_not_signed_is_not_believed(alter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wire, key = Wire(monkeypatch), os.urandom(32)
    monkeypatch.setattr(secret, "session", secret.Session(key))
    for value in ({"seed": 1}, {"seed": 2}):
        messages.send(value)
    if alter == "content":
        wire.sent[1][secret.MAC_BYTES + 9] ^= 1
    elif alter == "signature":
        wire.sent[1][0] ^= 1
    elif alter == "order":
        wire.sent = wire.sent[2:] + wire.sent[:2]
    elif alter == "length":
        wire.sent[0] = np.int32(2**30)
    wire.be(1)
    monkeypatch.setattr(secret, "session", secret.Session(key))
    if alter in ("nothing", "again"):
        first = wire.sent[:2]
        assert messages.receive() == {"seed": 1}
        if alter == "again":
            wire.sent = first
        else:
            assert json.loads(json.dumps(messages.receive())) == {"seed": 2}
            return
    says = (
        "a message of 1073741824 bytes" if alter == "length" else "host 1: what came is not signed"
    )
    with pytest.raises(InputError, match=says):
        messages.receive()


@pytest.mark.parametrize("alter", [False, True])
def test_what_hosts_say_of_themselves_is_signed_too(
    alter: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "_state", HostState(count=2))
    monkeypatch.setattr(secret, "session", secret.Session(os.urandom(32)))
    told = [{"processor": "one"}, {"processor": "another, with a longer name"}]

    def say(value: np.ndarray) -> np.ndarray:
        """Host 0 hears what host 1 would say at this place: its length, then its message."""
        content = json.dumps(told[1]).encode()
        packet = secret.session.sign_own(1, content) + content
        if alter:
            packet = packet[:-1] + b"!"
        if np.ndim(value) == 0:
            return np.stack([value, np.int32(len(packet))])
        padded = np.zeros_like(value)
        padded[: len(packet)] = np.frombuffer(packet, np.uint8)
        return np.stack([value, padded])

    monkeypatch.setattr(multihost_utils, "process_allgather", say)
    if alter:
        with pytest.raises(InputError, match="host 0: what came is not signed"):
            messages.gather(told[0])
        return
    assert messages.gather(told[0]) == told
