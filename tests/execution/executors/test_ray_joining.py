"""What is said of a Ray cluster that cannot be joined: what Ray says, in a line with a way out.

The texts are Ray 2.60.0's, which was started as another version, and on another Python, beside it.
"""

import importlib.util
import subprocess
import sys

import pytest

from cnn_ablation.errors import PeerLostError

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="the package ray is not installed"
    ),
]
OTHER = """Version mismatch: The cluster was started with:
    Ray: {ray}
    Python: {python}
This process on Ray Client was started with:
    Ray: 2.60.0
    Python: 3.11.7
"""
UNHEARD = (
    "[2026-11-28 17:31:30,502 W 1 1] gcs_client.cc:210: Failed to get cluster ID from GCS server: "
    "Unauthenticated: RPC error: InvalidAuthToken: Authentication token is missing or incorrect\n"
)
SERVER = """Initialization failure from server:
Traceback (most recent call last):
  File "proxier.py", line 772, in Datapath
RuntimeError: Starting Ray client server failed. See ray_client_server_23001.err for detailed logs.
"""


@pytest.mark.parametrize(
    ("told", "said", "reason"),
    [
        (
            OTHER.format(ray="2.54.0", python="3.11.7"),
            "",
            "the cluster has Ray 2.54.0 and Python 3.11.7, this process Ray ",
        ),
        (
            OTHER.format(ray="2.60.0", python="3.12.1"),
            "",
            "the cluster has Ray 2.60.0 and Python 3.12.1, this process Ray ",
        ),
        ("Failed to connect to Ray cluster at x:1", UNHEARD * 20, "the cluster does not accept"),
        ("Token authentication is enabled but none was found", "", "the cluster does not accept"),
        (SERVER, "", "there is no Ray cluster to join: Initialization failure from server: Runt"),
        ("", "", "there is no Ray cluster to join: ConnectionError; must be auto on"),
    ],
)
def test_a_reason_is_one_line_and_says_what_to_do(told: str, said: str, reason: str) -> None:
    from cnn_ablation.execution.executors.ray_joining import _reason

    line = _reason(ConnectionError(told), said)
    assert line.startswith(reason) and "\n" not in line
    assert any(way in line for way in ("start the command", "RAY_AUTH_TOKEN", "ray://HOST:10001"))
    assert "start the command" not in line or "Python {}.{}.".format(*sys.version_info) in line


def test_what_ray_writes_to_standard_error_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    import os

    from cnn_ablation.execution.executors.ray_joining import _Captured

    captured = _Captured()
    with captured:
        os.write(2, b"noise of C++\n")
    os.write(2, b"after\n")
    assert (captured.text, capfd.readouterr().err) == ("noise of C++\n", "after\n")


@pytest.mark.parametrize(
    ("head", "is_there", "is_lost"),
    [("ray://x:1", False, True), ("ray://x:1", True, False), ("x:1", False, False)],
)
def test_a_client_that_has_lost_its_head_is_told_from_other_errors(
    head: str, is_there: bool, is_lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    from cnn_ablation.execution.executors.ray_connection import Connection

    monkeypatch.setattr(ray, "is_initialized", lambda: is_there)
    connection = Connection.__new__(Connection)
    vars(connection)["_head"] = head
    connection.require_client(KeyboardInterrupt())
    error = ConnectionError("Client is shutting down.")
    if is_lost:
        with pytest.raises(PeerLostError, match=r"^Ray's head at ray://x:1 is gone \(Client is"):
            connection.require_client(error)
    else:
        connection.require_client(error)


def test_no_call_starts_a_cluster_of_its_own() -> None:
    """Ray reads the variable when it is imported, which is after what is imported here."""
    code = (
        "import cnn_ablation.execution.executors as executors\n"
        "from cnn_ablation.errors import InputError\n"
        "options = executors.ExecutorOptions('ray', ray_address='nowhere')\n"
        "try: executors.make_executor(options, executors.Job(), None)\n"
        "except InputError: pass\n"
        "from ray._private.auto_init_hook import enable_auto_connect as found; assert not found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
