"""What hosts tell one another: signed JSON values, over the devices' own network.

All hosts must call these functions in the same order.
"""

import hmac
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from cnn_ablation.errors import InputError, as_typed
from cnn_ablation.execution.hosts import ending, secret
from cnn_ablation.version import __version__

_LONGEST = 2**26
# Beyond any delay of a host that lives; one that does not is found by its heartbeat.
_PARTING_MILLISECONDS = 3_600_000


def send(value: Any) -> None:
    """On host 0: every other host's `receive` returns this JSON value."""
    content = json.dumps(value).encode()
    _broadcast(secret.session.sign(content) + content)


def dismiss() -> None:
    """On host 0: there is no more to do for the others, whose `receive` returns None."""
    if ending.count() > 1:
        send(None)
        _part()


def receive() -> Any:
    """On the other hosts: waits for what host 0 sends; None is its last word.

    Raises:
        InputError: it is not signed with the secret of this run.
    """
    packet = _broadcast(b"")
    signature, content = packet[: secret.MAC_BYTES], packet[secret.MAC_BYTES :]
    if not hmac.compare_digest(signature, secret.session.sign(content)):
        raise _unsigned()
    value = json.loads(content)
    if value is None:
        _part()
    return value


def _part() -> None:
    """Waits until every host has the last message.

    A host that ends closes its connections; who still reads from them would take it for lost.
    """
    from jax._src import distributed

    client: Any = distributed.global_state.client
    client.wait_at_barrier("cnn_ablation_part", _PARTING_MILLISECONDS)


def gather(value: Any) -> list[Any]:
    """What all hosts say, by their numbers; each gives a JSON value, and all call this at once.

    Raises:
        InputError: a host's is not signed with the secret of this run.
    """
    if ending.count() == 1:
        return [value]
    from jax.experimental.multihost_utils import process_allgather

    content = json.dumps(value).encode()
    packet = secret.session.sign_own(ending.host(), content) + content
    lengths = np.asarray(process_allgather(np.int32(len(packet)))).reshape(-1)
    padded = np.zeros(_size_for(int(lengths.max())), np.uint8)
    padded[: len(packet)] = np.frombuffer(packet, np.uint8)
    rows = np.asarray(process_allgather(padded)).reshape(ending.count(), -1)
    found = []
    for host, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        content = row[secret.MAC_BYTES : length].tobytes()
        own = secret.session.sign_own(host, content)
        if not hmac.compare_digest(row[: secret.MAC_BYTES].tobytes(), own):
            raise _unsigned()
        found.append(json.loads(content))
    return found


def require_same(facts: Mapping[str, object]) -> None:
    """Makes sure that all hosts are about to do the same; does nothing on one host.

    Programs that differ between hosts would wait for one another for ever.

    Args:
        facts: JSON values by name; what a user can set has the name of its flag.

    Raises:
        InputError: a fact of this host differs from host 0's; host 0 itself never raises.
    """
    if ending.count() == 1:
        return
    import jax

    own = json.loads(json.dumps({"cnn_ablation": __version__, "jax": jax.__version__, **facts}))
    if ending.host() == 0:
        send(own)
        return
    for name, expected in receive().items():
        if own[name] != expected:
            raise InputError(
                f"host {ending.host()}: {name}={as_typed(own[name])}: must be "
                f"{as_typed(expected)}, as on host 0"
            )


def _broadcast(content: bytes) -> bytes:
    from jax.experimental.multihost_utils import broadcast_one_to_all

    length = int(broadcast_one_to_all(np.int32(len(content))))
    padded = np.zeros(_size_for(length), np.uint8)
    padded[: len(content)] = np.frombuffer(content, np.uint8)
    return np.asarray(broadcast_one_to_all(padded)).tobytes()[:length]


def _size_for(length: int) -> int:
    """Bytes that hold a message: few sizes, since each is compiled."""
    if not 0 <= length <= _LONGEST:
        raise InputError(f"host {ending.host()}: a message of {length} bytes came; none is so long")
    return 1 << max(10, (length - 1).bit_length())


def _unsigned() -> InputError:
    return InputError(
        f"host {ending.host()}: what came is not signed with the secret of this run; nothing of "
        "it is believed"
    )
