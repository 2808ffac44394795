"""What is said of a Ray cluster that cannot be joined: what Ray says, in a line with a way out.

The texts are Ray 2.60.0's, which was started as another version, and on another Python, beside it.
"""

import importlib.util
import sys

import pytest

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
