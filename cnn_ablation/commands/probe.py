"""What training needs as it is here, as JSON: run by `doctor` in a process of its own.

What is broken in JAX can end the process that asks.
"""

import contextlib
import json
import sys
from typing import Any


def probe() -> dict[str, Any]:
    """Devices, compiler and kernels, each as far as it can be had."""
    # What libraries print while they load must not come between.
    with contextlib.redirect_stdout(sys.stderr):
        import jax

        import cnn_ablation
        import cnn_ablation.commands.conclusion
        import cnn_ablation.commands.single_design

        cnn_ablation.Study  # noqa: B018  By the loader of names.
        devices = jax.devices()
        return {
            "backend": jax.default_backend(),
            "devices": [device.device_kind for device in devices],
            **_kernels(),
        }


def _kernels() -> dict[str, Any]:
    from cnn_ablation.network.lowerings.native import build

    try:
        compiler = build.find_compiler()
        path, why = build.kept()
    except build.BuildError as error:
        return {"compiler": None, "kernels": None, "why": str(error)}
    return {"compiler": compiler, "kernels": str(path), "why": why}


if __name__ == "__main__":
    print(json.dumps(probe()))
