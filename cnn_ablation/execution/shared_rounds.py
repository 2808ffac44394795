"""Timing rounds that all studies of a user share on one machine.

How long an epoch takes depends on neither the number of epochs nor the learning rate. Rounds of
the same designs, on the same machine and by the same code, are one experiment whichever study took
them, and their verdict is given once.
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cnn_ablation.design import TrainingSpec, TrialSpec
from cnn_ablation.design.training import SEED_FIELDS
from cnn_ablation.errors import InputError
from cnn_ablation.study.lines import check_round
from cnn_ablation.study.results import Timing
from cnn_ablation.system.caches import user_cache_dir
from cnn_ablation.system.files import append_json_line
from cnn_ablation.system.stored import parse_object, seal, unseal
from cnn_ablation.version import __version__


class SharedRounds:
    """The rounds of one machine, in the user's cache."""

    def __init__(self, machine: Mapping[str, Any], revision: str | None) -> None:
        """Names the machine; nothing is read yet.

        Args:
            machine: what times depend on.
            revision: of the code; rounds of another are not used.

        Raises:
            InputError: the cache cannot be had, or is not the user's alone.
        """
        self._machine = {**machine, "version": __version__, "revision": revision}
        self._path = user_cache_dir("timings") / "rounds.jsonl"

    def of(self, designs: Collection[TrialSpec]) -> list[list[Timing]]:
        """The rounds that timed each of some designs, as rounds of these.

        Lines that are damaged, or of another version, are passed over.
        """
        wanted = {_key(spec): spec for spec in designs}
        rounds = []
        for line in self._lines():
            times = {_key_of(time): time for time in line["times"]}
            if line["machine"] == self._machine and wanted.keys() <= times.keys():
                rounds.append(
                    [
                        Timing(spec, 0, times[key]["train_seconds"], times[key]["eval_seconds"])
                        for key, spec in wanted.items()
                    ]
                )
        return rounds

    def add(self, times: Sequence[Timing]) -> None:
        """Adds a round, unless the cache cannot be written: it is no part of the study."""
        line = {
            "machine": self._machine,
            "times": [
                {
                    "spec": _shared(time.spec).to_json(),
                    "train_seconds": time.train_seconds,
                    "eval_seconds": time.eval_seconds,
                }
                for time in times
            ],
        }
        with contextlib.suppress(OSError):
            append_json_line(self._path, seal(line))

    def _lines(self) -> list[dict[str, Any]]:
        try:
            content = self._path.read_bytes()
        except OSError:
            return []
        found = []
        for text in content.splitlines():
            with contextlib.suppress(InputError):
                line = unseal(parse_object(text), ())
                check_round(line)
                found.append(line)
        return found


def _shared(spec: TrialSpec) -> TrialSpec:
    """The design as far as its times depend on it."""
    usual = TrainingSpec(optimizer=spec.training.optimizer)
    return spec.one_epoch().replace(learning_rate=usual.learning_rate, **dict.fromkeys(SEED_FIELDS))


def _key(spec: TrialSpec) -> str:
    return _shared(spec).trial_id(0, "")


def _key_of(time: Mapping[str, Any]) -> str | None:
    """The same of a stored time; None where its spec cannot be read."""
    try:
        return TrialSpec.from_json(time.get("spec")).trial_id(0, "")
    except InputError:
        return None
