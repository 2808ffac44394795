"""This project's own training of one design, through its Python interface.

Options: conv, as --conv of the command line. Programs compiled before are read from the cache that
the command line uses too.
"""

from __future__ import annotations

import queue
import threading

import cnn_ablation as cnn
from cnn_ablation.system.compilation import keep_compiled_programs
from experiments.peers.worker import Epoch, Job, serve


class Trainer:
    """A training that waits, between epochs, until it is asked for the next one."""

    def __init__(self, job: Job) -> None:
        keep_compiled_programs(None)
        spec = cnn.TrialSpec.from_json(job.spec)
        self.params = cnn.summarize(spec.network).params
        self._trainer = cnn.Trainer(
            spec, cnn.load_dataset("mnist"), cnn.ComputeOptions(**job.options)
        )
        self._asked = threading.Semaphore(0)
        self._epochs: queue.SimpleQueue[cnn.EpochRecord | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._train, args=(job.seed,), daemon=True)
        self._thread.start()

    def epoch(self) -> Epoch:
        """Trains on every training example once, evaluates on every test example."""
        self._asked.release()
        record = self._epochs.get()
        if record is None:
            raise RuntimeError("training ended before the epochs that were announced")
        if record.epoch == self._trainer.spec.training.epochs:
            self._thread.join()
        figures = vars(record).copy()
        del figures["epoch"]
        return Epoch(**figures)

    def _train(self, seed: int) -> None:
        self._asked.acquire()
        try:
            self._trainer.train(seed, self._on_epoch)
        finally:
            self._epochs.put(None)

    def _on_epoch(self, _seed: int, record: cnn.EpochRecord) -> None:
        self._epochs.put(record)
        if record.epoch < self._trainer.spec.training.epochs:
            self._asked.acquire()


if __name__ == "__main__":
    serve(Trainer)
