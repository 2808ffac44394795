"""JAX's start, which variables of the environment can prevent: then in one line that names them."""

import os
import subprocess
import sys

from cnn_ablation.errors import InputError
from cnn_ablation.system import stopping

_XLA_FLAGS = "XLA_FLAGS"
_STARTING = "import jax; jax.devices()"
_STARTING_SECONDS = 120


def load_jax() -> None:
    """Imports JAX; a stop is put off until it is loaded.

    Raises:
        InputError: a variable of the environment is not as JAX or XLA need it.
    """
    with stopping.deferred():
        _require_xla_flags()
        try:
            import jax  # noqa: F401
        except (ValueError, TypeError, RuntimeError, AssertionError) as error:
            raise _blamed(error) from None


def start_jax() -> None:
    """Makes JAX look for devices, once all hosts are there.

    Raises:
        InputError: there are none of the sort that is asked for.
    """
    with stopping.deferred():
        import jax

        try:
            jax.devices()
        except (RuntimeError, ValueError, AssertionError) as error:
            raise _blamed(error) from None


def _blamed(error: Exception) -> InputError:
    """The mistake as one line on the variable that the error speaks of, or on all that are set."""
    said = str(error).strip() or "JAX finds no device"
    variables = {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith(("JAX_", "XLA_", "CUDA_", "LIBTPU_"))
    }
    blamed = {n: v for n, v in variables.items() if n in said.upper()}
    if not blamed and "JAX_PLATFORMS" in variables:
        blamed = {"JAX_PLATFORMS": variables["JAX_PLATFORMS"]}
    given = " ".join(f"{name}={value}" for name, value in (blamed or variables).items())
    if "JAX_PLATFORMS" in blamed:
        return InputError(
            f"{given}: JAX cannot use that here ({said.splitlines()[0]}); must be platforms that "
            "are there, such as cpu, or be left out"
        )
    return InputError(f"{given or 'JAX'}: {said.splitlines()[0]}")


def _require_xla_flags() -> None:
    """Tries XLA's flags in a process of their own: XLA ends the one that has a wrong one.

    Raises:
        InputError: it ended so.
    """
    given = os.environ.get(_XLA_FLAGS, "")
    if not given.strip() or "jax" in sys.modules:
        return
    tried = subprocess.run(
        [sys.executable, "-c", _STARTING],
        # Whether there is such a device is for JAX to say.
        env={**os.environ, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_STARTING_SECONDS,
        check=False,
    )
    lines = [line for line in tried.stderr.splitlines() if _XLA_FLAGS in line]
    if tried.returncode and lines:
        said = lines[-1].partition("] ")[2] or lines[-1]
        raise InputError(f"{_XLA_FLAGS}={given}: {said}; this XLA must know every flag")
