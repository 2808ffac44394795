"""Trials of several kinds of hardware in one study, whose last bits differ: said, or refused."""

from collections.abc import Mapping
from typing import Any

from cnn_ablation.claims.words import plural
from cnn_ablation.display.text import wrap
from cnn_ablation.errors import InputError
from cnn_ablation.study.store import Store
from cnn_ablation.system.hardware import difference


class Mixing:
    """Meets what trains, kind after kind, and compares it with what has trained."""

    def __init__(self, store: Store, *, is_refused: bool) -> None:
        """Meets nothing yet.

        Args:
            store: has the trials that are there.
            is_refused: whether the user wants one kind alone.
        """
        self._store, self._is_refused = store, is_refused
        self._met: list[Mapping[str, Any]] = []

    def meet(self, hardware: Mapping[str, Any] | None) -> str:
        """What is to be said of hardware that trains from now on: once of each kind.

        Args:
            hardware: as `system.hardware` describes it; None is not known.

        Returns:
            A line for people, empty where there is nothing to say.

        Raises:
            InputError: it is of another kind than before, and that is refused.
        """
        if not hardware or hardware in self._met:
            return ""
        before = self._met[:]
        self._met.append(hardware)
        if others := self._store.other_hardware(hardware):
            found = "; ".join(f"{count} with {what}" for what, count in others.items())
            count = sum(others.values())
            were = f"{plural(count, 'trial')} {'was' if count == 1 else 'were'}"
            return self._say(f"{were} trained on other hardware ({found})", "the new ones")
        if before:
            other = difference(before[-1], hardware)
            return self._say(f"this run has workers of other hardware too (one with {other})", "")
        return ""

    def _say(self, mixed: str, new: str) -> str:
        if self._is_refused:
            way_out = "name another --workdir" if new else "give it workers of one kind"
            raise InputError(f"--same_hardware: {mixed}; {way_out}, or leave it out")
        differ = f"last bits of these and {new} differ" if new else "last bits of trials differ"
        return wrap(f"{mixed}: {differ}", "mixed    ")
