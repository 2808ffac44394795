"""What decides the last bits of a training beside its spec: the kind of processor, and flags."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NUMBERS = ("cpu family", "model")
# Bits of the widest vectors of floats, by the flag with which a CPU says that it has them.
_VECTORS = {"avx512f": 512, "avx": 256, "sse2": 128, "asimd": 128}


def describe_hardware() -> dict[str, Any]:
    """The processor's model, the bits of its vectors (None where unknown), and XLA's flags."""
    about = _cpuinfo()
    flags = set(about.get("flags", about.get("Features", "")).split())
    bits = next((bits for flag, bits in _VECTORS.items() if flag in flags), None)
    return {
        "processor": _model(about),
        "vector_bits": bits,
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
    }


def difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """What hardware has that another has not, in words: `vector bits 256`."""
    keys = [key for key in dict.fromkeys([*one, *other]) if one.get(key) != other.get(key)]
    return ", ".join(f"{key.replace('_', ' ')} {one.get(key) or 'none'}" for key in keys)


def _model(about: dict[str, str]) -> str:
    """The processor by name and, since names may be shared, by family and model."""
    if "model name" not in about:
        return platform.processor() or platform.machine()
    numbers = [f"{key.removeprefix('cpu ')} {about[key]}" for key in _NUMBERS if key in about]
    return about["model name"] + (f" ({', '.join(numbers)})" if numbers else "")


def _cpuinfo() -> dict[str, str]:
    """What Linux says of the first processor; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for key, _, value in (line.partition(":") for line in lines):
        found.setdefault(key.strip(), value.strip())
    return found
