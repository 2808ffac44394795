"""Collecting the tests touches nothing: no compiler, no process, no port, no device."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Lists what our own modules do while pytest imports them. What the modules of others do when they
# are imported is theirs: the innermost frame outside the standard library decides.
COLLECT = """
import json, sys
from pathlib import Path

ROOT = Path(sys.argv[1])
OURS = tuple(f"{ROOT / name}/" for name in ("cnn_ablation", "experiments", "tests"))
WATCHED = ("subprocess.Popen", "os.system", "os.fork", "os.posix_spawn", "socket.bind")
found = []

def watch(event, arguments):
    frame = sys._getframe() if event in WATCHED else None
    while frame is not None and "-packages" not in (file := frame.f_code.co_filename):
        if file.startswith(OURS):
            found.append(f"{event} at {file}:{frame.f_lineno}")
            break
        frame = frame.f_back

sys.addaudithook(watch)
import pytest
code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"])
from jax._src import xla_bridge
if xla_bridge.backends_are_initialized():
    found.append("JAX has looked for devices")
print(json.dumps([int(code), found]))
"""


def test_collecting_touches_nothing() -> None:
    command = [sys.executable, "-c", COLLECT, str(ROOT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []], done.stdout
