"""How busy a machine's processors are, and with whose work, where Linux tells."""

from __future__ import annotations

import os
import time
from pathlib import Path


class Share:
    """What share of all processors others than one process use, between start and `others`."""

    def __init__(self, process_id: int) -> None:
        self._process_id = process_id
        self._began = time.monotonic()
        self._used = _used_by_others(process_id)

    def others(self) -> float | None:
        """From 0 to 1; None where the machine does not tell, or the process has ended."""
        used = _used_by_others(self._process_id)
        if used is None or self._used is None:
            return None
        available = (time.monotonic() - self._began) * (os.cpu_count() or 1)
        return min(max((used - self._used) / available, 0.0), 1.0)


def _used_by_others(process_id: int) -> float | None:
    """Processor seconds since the machine started, in all but one process."""
    try:
        all_processors = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        process = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = all_processors[:8]
    busy = sum(map(int, (user, nice, system, interrupts, soft_interrupts, stolen)))
    own = int(process[11]) + int(process[12])
    return (busy - own) / os.sysconf("SC_CLK_TCK")
