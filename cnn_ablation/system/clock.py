"""How long this process has run.

What the system knows is when a process was made; a shell that first installs packages, for a
minute, and then becomes Python by `exec` is the same process. So the start is taken to be the first
import of this module, less the processor time that the process had used by then. That is what the
interpreter and earlier imports took, but for waiting; of a shell it is only what the shell itself
computed, not the programs that it waited for. Who wants the whole start-up imports this early.
"""

import time

_STARTED = time.monotonic() - time.process_time()


def seconds_since_start() -> float:
    """Wall seconds since this process began to run Python, the interpreter's start included."""
    return time.monotonic() - _STARTED
