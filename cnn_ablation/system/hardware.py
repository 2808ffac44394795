"""What decides the last bits of a training beside its spec: the kind of processor, and flags."""

import dataclasses
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

_NUMBERS = ("cpu family", "model")
# Bits of the widest vectors of floats, by the flag with which a CPU says that it has them.
_VECTORS = {"avx512f": 512, "avx": 256, "sse2": 128, "asimd": 128}


@dataclasses.dataclass(frozen=True)
class Machine:
    """What a trial was trained on.

    Attributes:
        device: a line for people; None where it is not known.
        hardware: what decides last bits, as JSON values; None where it is not known.
    """

    device: str | None = None
    hardware: Mapping[str, Any] | None = None

    @classmethod
    def of_all(cls, machines: Sequence[Self]) -> Self:
        """Several machines that train one trial together; those that are alike count once."""
        first = machines[0]
        if all(machine == first for machine in machines):
            return first
        every = [machine.hardware or {} for machine in machines]
        names = dict.fromkeys(name for hardware in every for name in hardware)
        return cls(
            _joined([machine.device for machine in machines]),
            {name: _joined([hardware.get(name) for hardware in every]) for name in names},
        )


UNKNOWN = Machine()


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


def _joined(values: Sequence[Any]) -> Any:
    """A value that all have, or all values in words, in an order of their own."""
    if all(value == values[0] for value in values):
        return values[0]
    return " + ".join(sorted({str(value) for value in values}))


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
