"""The secret that all hosts of a run know: who does not know it is told nothing and not believed.

It is in a file that a flag names, or in a variable; else it is a random one in the user's cache,
which all hosts read where they share a home. Each host proves to all that it knows it, and from
then on every message of host 0 carries a keyed hash (HMAC with SHA-256, RFC 2104).
"""

import contextlib
import dataclasses
import hmac
import os
import secrets
import stat
import time
from pathlib import Path

import numpy as np

from cnn_ablation.errors import InputError
from cnn_ablation.execution.hosts import ending
from cnn_ablation.system.caches import user_cache_dir
from cnn_ablation.system.files import unwritable
from cnn_ablation.system.paths import user_path

VARIABLE, FLAG = "CNN_ABLATION_SECRET", "secret_file"
_LEAST = 16
_NONCE_BYTES = 16
_LINGER_SECONDS = 2
MAC_BYTES = 32


@dataclasses.dataclass
class Session:
    """What signs the messages of one run, in their order.

    Attributes:
        key: of this run alone, so that what was sent in another is not believed.
        count: messages so far.
    """

    key: bytes = b""
    count: int = 0

    def sign(self, content: bytes) -> bytes:
        """The keyed hash of the next message."""
        self.count += 1
        return mac(self.key, self.count.to_bytes(8, "big") + content)

    def sign_own(self, host: int, content: bytes) -> bytes:
        """The keyed hash of what a host says of itself, after so many messages."""
        place = host.to_bytes(8, "big") + self.count.to_bytes(8, "big")
        return mac(self.key, b"own" + place + content)


session = Session()


def mac(key: bytes, content: bytes) -> bytes:
    """The keyed hash of some bytes."""
    return hmac.digest(key, content, "sha256")


def given(file: str | None) -> bytes | None:
    """The secret that the user gives by a flag or a variable; None where there is neither.

    Args:
        file: what the flag names.

    Raises:
        InputError: the file cannot be read, is not the user's alone, or the secret is too short.
    """
    if file is not None:
        path = user_path(FLAG, file)
        return _long_enough(_read(path, f"--{FLAG}={file}"), f"--{FLAG}={file}")
    text = os.environ.get(VARIABLE)
    return None if text is None else _long_enough(os.fsencode(text).strip(), VARIABLE)


def prove(file: str | None) -> None:
    """Shows all hosts that this one knows the secret, and has them show it; for all hosts at once.

    Does nothing on one host. The devices must be up.

    Args:
        file: what the flag names.

    Raises:
        InputError: another host does not know it, or it cannot be read here.
    """
    if ending.count() == 1:
        return
    from jax.experimental.multihost_utils import broadcast_one_to_all, process_allgather

    secret = given(file) or _own()
    drawn = np.frombuffer(secrets.token_bytes(_NONCE_BYTES), np.uint8)
    nonce = np.asarray(broadcast_one_to_all(drawn)).tobytes()
    proof = np.frombuffer(_proof(secret, nonce, ending.host()), np.uint8)
    proofs = np.asarray(process_allgather(proof)).reshape(ending.count(), MAC_BYTES)
    strangers = [
        str(host)
        for host in range(ending.count())
        if not hmac.compare_digest(proofs[host].tobytes(), _proof(secret, nonce, host))
    ]
    if strangers:
        if ending.host() == 0:
            # Where host 0 ends first, JAX aborts the others before they have said why.
            time.sleep(_LINGER_SECONDS)
        raise InputError(
            f"host {ending.host()}: host {' and '.join(strangers)} has another secret; give all "
            f"hosts the same, in {VARIABLE} or in a file of mode 600 that --{FLAG} names"
        )
    session.key, session.count = mac(secret, b"messages" + nonce), 0


def _proof(secret: bytes, nonce: bytes, host: int) -> bytes:
    return mac(secret, b"host" + nonce + host.to_bytes(8, "big"))


def _own() -> bytes:
    """The secret in the user's cache, made by the first who looks for it."""
    path = user_cache_dir("hosts") / "secret"
    if not path.exists():
        temporary = path.with_name(f".{secrets.token_hex(8)}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
        except OSError as error:
            raise unwritable(path, error) from None
        finally:
            temporary.unlink(missing_ok=True)
    return _long_enough(_read(path, str(path)), str(path))


def _read(path: Path, name: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
            shared = status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
            if not mine or (shared and os.name == "posix"):
                raise InputError(f"{name}: must be a file of yours with mode 600")
            return file.read(4096).strip()
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from None


def _long_enough(secret: bytes, name: str) -> bytes:
    if len(secret) < _LEAST:
        raise InputError(f"{name}: a secret must have {_LEAST} characters or more")
    return secret
