"""The time that a process has run, however it came to be."""

import subprocess
import sys
import time
from pathlib import Path

# What Python does before the import takes processor time, and after it wall time.
SCRIPT = """
import sys, time
while time.process_time() < 0.5: pass
from cnn_ablation.system.clock import seconds_since_start
time.sleep(0.5)
print(seconds_since_start())
"""


def seconds(*command: str) -> tuple[float, float]:
    """What a process says, and how long it took to say it."""
    began = time.monotonic()
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    return float(done.stdout), time.monotonic() - began


def test_a_plain_start_counts_from_before_the_import() -> None:
    said, took = seconds(sys.executable, "-c", SCRIPT)
    assert 1 <= said <= took


def test_what_a_shell_waited_for_before_it_became_python_does_not_count() -> None:
    shell = 'sleep 2; exec "$0" -c "$1"'
    said, took = seconds("sh", "-c", shell, sys.executable, SCRIPT)
    assert took > 3
    assert 1 <= said < 2
