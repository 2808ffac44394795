"""A file of JSON lines that only grows: whatever kills its writer, no whole line is lost.

Each line carries a checksum. A line that is damaged is named, moved to a file beside and not
believed; what it was of runs again.
"""

import contextlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from cnn_ablation.errors import InputError
from cnn_ablation.system.files import append_bytes, append_json_line, unwritable, write_bytes
from cnn_ablation.system.stored import parse_object, seal, unseal

DAMAGED = ".damaged"


class Journal:
    """One file of JSON objects, one a line, written by one process at a time.

    Attributes:
        path: the file; it need not be there yet.
        aside: where damaged lines are kept, as they were found.
    """

    def __init__(
        self,
        path: Path,
        check: Callable[[dict[str, Any]], None],
        older_keys: Collection[str],
    ) -> None:
        """Names the file and what its lines must be.

        Args:
            path: the file.
            check: raises InputError where an object is not what a line must hold.
            older_keys: all keys of lines from before there were checksums.
        """
        self.path, self._check, self._older = path, check, frozenset(older_keys)
        self.aside = path.with_name(path.name + DAMAGED)

    def read(self) -> list[dict[str, Any]]:
        """The objects of all whole lines; what a kill left of a last line is passed over.

        Raises:
            InputError: the file cannot be read, or a line that is not the last is damaged.
        """
        lines, tail = self._split()
        found = []
        for number, line in enumerate(lines, start=1):
            try:
                found.append(self._object(line))
            except InputError as error:
                raise InputError(
                    f"{self.path}: line {number} is damaged ({error}); restore the file, or run "
                    "its study's command, which sets that line aside and trains its trial again"
                ) from None
        with contextlib.suppress(InputError):
            found.append(self._object(tail))
        return found

    def repair(self) -> list[str]:
        """Leaves whole and sound lines alone in the file; only for who may write to it.

        Returns:
            What was done, a line each.

        Raises:
            InputError: the file cannot be read or written.
        """
        lines, tail = self._split()
        kept, damaged, said = [], [], []
        for number, line in enumerate([*lines, *([tail] if tail else [])], start=1):
            is_last = number > len(lines)
            try:
                self._object(line)
            except InputError as error:
                damaged.append(line)
                said.append(self._told(number, "" if is_last else str(error)))
                continue
            kept.append(line)
            if is_last:
                said.append(f"{self.path}: line {number} lacked its end of line; added")
        if said:
            self._replace(kept, damaged)
        return said

    def append(self, document: Mapping[str, Any]) -> None:
        """Adds one line that has reached the disk on return.

        Raises:
            InputError: the file cannot be written.
        """
        try:
            append_json_line(self.path, seal(document))
        except OSError as error:
            raise unwritable(self.path, error) from None

    def _told(self, number: int, why: str) -> str:
        what = f"is damaged ({why})" if why else "was torn when its writer was stopped"
        return (
            f"{self.path}: line {number} {what}; it is kept in {self.aside.name}, and what it was "
            "of runs again"
        )

    def _replace(self, kept: list[bytes], damaged: list[bytes]) -> None:
        """Keeps the damaged lines first: a kill in between leaves them in both files."""
        try:
            if damaged:
                append_bytes(self.aside, b"".join(line + b"\n" for line in damaged))
            write_bytes(self.path, b"".join(line + b"\n" for line in kept))
        except OSError as error:
            raise unwritable(self.path, error) from None

    def _split(self) -> tuple[list[bytes], bytes]:
        """All lines that have an end, and what comes after them."""
        try:
            content = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read ({error.strerror})") from None
        *lines, tail = content.split(b"\n")
        return lines, tail

    def _object(self, line: bytes) -> dict[str, Any]:
        found = unseal(parse_object(line), self._older)
        self._check(found)
        return found
