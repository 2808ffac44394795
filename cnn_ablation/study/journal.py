"""A file of JSON lines that only grows: whatever kills its writer, no whole line is lost."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from cnn_ablation.errors import InputError
from cnn_ablation.system.files import append_json_line


class Journal:
    """One file of JSON objects, one a line, written by one process at a time.

    Attributes:
        path: the file; it need not be there yet.
    """

    def __init__(self, path: Path, keys: Collection[str]) -> None:
        """Names the file, and the keys that every object in it has."""
        self.path, self._keys = path, frozenset(keys)

    def read(self) -> list[dict[str, Any]]:
        """The objects of all whole lines; what a kill left of a last line is passed over.

        Raises:
            InputError: the file cannot be read, or a line that is not the last is damaged.
        """
        lines, tail = self._split()
        found = [self._parse(number, line) for number, line in enumerate(lines, start=1)]
        last = self._object(tail)
        return found if last is None else [*found, last]

    def repair(self) -> str | None:
        """Makes the file end with a whole line; only for who may write to it.

        Returns:
            What was done, in one line; None where there was nothing to do.
        """
        lines, tail = self._split()
        if not tail:
            return None
        number = len(lines) + 1
        if self._object(tail) is not None:
            with self.path.open("ab") as file:
                file.write(b"\n")
            return f"{self.path}: line {number} lacked its end of line; added"
        with self.path.open("r+b") as file:
            file.truncate(self.path.stat().st_size - len(tail))
        return (
            f"{self.path}: line {number} was torn when its writer was stopped; it is removed, and "
            "what it was of runs again"
        )

    def append(self, document: Mapping[str, Any]) -> None:
        """Adds one line that has reached the disk on return.

        Raises:
            InputError: the file cannot be written.
        """
        try:
            append_json_line(self.path, document)
        except OSError as error:
            raise InputError(f"{self.path}: cannot be written ({error.strerror})") from None

    def _split(self) -> tuple[list[bytes], bytes]:
        """All lines that have an end, and what comes after them."""
        try:
            content = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read ({error.strerror})") from None
        *lines, tail = content.split(b"\n")
        return lines, tail

    def _parse(self, number: int, line: bytes) -> dict[str, Any]:
        found = self._object(line)
        if found is None:
            raise InputError(
                f"{self.path}: line {number} is damaged: must be a JSON object with "
                f"{', '.join(sorted(self._keys))}; restore the file, or delete that line"
            )
        return found

    def _object(self, line: bytes) -> dict[str, Any] | None:
        try:
            found = json.loads(line)
        except ValueError:
            return None
        return found if isinstance(found, dict) and self._keys <= found.keys() else None
