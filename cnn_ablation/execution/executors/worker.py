"""A worker process: reads tasks from its standard input, trains them, and tells on its output.

It ends when its input ends, be it in the midst of a task: no worker outlives who started it.
"""

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from typing import BinaryIO

from cnn_ablation.execution.executors.cores import keep_to
from cnn_ablation.execution.executors.interface import Event, Idle, Job, Setup, Task


def main() -> None:
    """Works until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = _keep_output()
    setup: Setup = pickle.load(sys.stdin.buffer)
    # Before anything makes a thread: threads inherit the cores of the one that starts them.
    keep_to(setup.cores)
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks,), daemon=True).start()
    _work(setup.job, tasks, replies)


def _work(job: Job, tasks: "queue.SimpleQueue[Task]", replies: BinaryIO) -> None:
    from cnn_ablation.execution.executors.block import datasets_for, train_block

    def tell(message: Event | Idle) -> None:
        pickle.dump(message, replies)
        replies.flush()

    datasets = datasets_for(job)
    while True:
        tell(Idle())
        train_block(tasks.get(), datasets, job, tell)


def _keep_output() -> BinaryIO:
    """Takes standard output for messages; what anybody prints goes to standard error instead."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return replies


def _listen(tasks: "queue.SimpleQueue[Task]") -> None:
    while True:
        try:
            tasks.put(pickle.load(sys.stdin.buffer))
        except (EOFError, pickle.UnpicklingError):
            os._exit(0)
        except Exception:
            # A spec that cannot be read here: who waits for its trials must not do so for ever.
            traceback.print_exc()
            os._exit(1)


if __name__ == "__main__":
    main()
