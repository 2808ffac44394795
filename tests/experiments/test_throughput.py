"""The throughput command: one small measurement, and names that it does not know."""

import re
import subprocess
import sys
from pathlib import Path

import forked
import pytest

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "experiments.throughput"]


@pytest.mark.slow
@pytest.mark.processes
def test_a_small_measurement_by_two_ways() -> None:
    given = ["--designs=stride-5", "--ways=inline,devices", "--epochs=1", "--waves=2"]
    command = [*COMMAND, *given, "--rounds=1", "--cores=2"]
    ended = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=300
    )
    heading, _, row = ended.stdout.splitlines()[-3:]
    assert heading.split() == ["design", "inline", "devices"]
    paces = re.fullmatch(
        r"stride-5 +(\S+) \((\S+) to (\S+)\) +(\S+) \((\S+) to (\S+)\)", row.strip()
    )
    assert paces and all(float(pace) > 0 for pace in paces.groups())
    # One round is its own median, least and most.
    inline, devices = paces.groups()[:3], paces.groups()[3:]
    assert len(set(inline)) == len(set(devices)) == 1


@pytest.mark.parametrize("flag", ["--designs=stride-9", "--ways=sideways", "--waves=1"])
def test_what_there_is_not_is_refused(flag: str) -> None:
    ended = forked.run(*COMMAND[1:], flag)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: {flag}: ")
