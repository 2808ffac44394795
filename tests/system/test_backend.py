"""Variables that keep JAX from starting are one line that names them, with exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MAIN, STUDY = "cnn_ablation.main", "experiments.stride"


@pytest.mark.parametrize(
    ("module", "variable", "value", "says"),
    [
        (MAIN, "JAX_PLATFORMS", "cuda", "JAX_PLATFORMS=cuda: JAX cannot use that here"),
        (MAIN, "JAX_PLATFORMS", "nosuch", "JAX_PLATFORMS=nosuch: JAX cannot use that here"),
        (MAIN, "JAX_ENABLE_X64", "maybe", "JAX_ENABLE_X64=maybe: invalid truth value"),
        (MAIN, "JAX_NUM_CPU_DEVICES", "abc", "JAX_NUM_CPU_DEVICES=abc: "),
        (MAIN, "XLA_FLAGS", "--xla_nosuch=1", "XLA_FLAGS=--xla_nosuch=1: Unknown flag"),
        (STUDY, "JAX_PLATFORMS", "nosuch", "JAX_PLATFORMS=nosuch: JAX cannot use that here"),
    ],
)
def test_a_variable_is_named(
    module: str, variable: str, value: str, says: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, f"--workdir={tmp_path / 'run'}"],
        env={**os.environ, variable: value},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
    assert line.startswith(f"error: {says}")
    assert not (tmp_path / "run").exists()
