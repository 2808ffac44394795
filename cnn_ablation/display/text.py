"""Plain text for terminals: tables and paragraphs."""

import datetime
import textwrap
from collections.abc import Sequence


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Aligns rows of text, the first of them headings: first column left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def markdown_table(rows: Sequence[Sequence[str]], *, figures: bool = True) -> str:
    """Rows as a table in Markdown, the first of them headings.

    Args:
        rows: cells; a bar in one is escaped.
        figures: whether all columns but the first hold figures, which are aligned to the right.
    """
    head, *others = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    rule = ["---", *("---:" if figures else "---" for _ in head[1:])]
    lines = [f"| {' | '.join(row)} |" for row in (head, *others)]
    return "\n".join([lines[0], f"|{'|'.join(rule)}|", *lines[1:]])


def clock(seconds: float) -> str:
    """Hours, minutes and seconds: `0:01:30`."""
    return str(datetime.timedelta(seconds=round(seconds)))


def wrap(text: str, head: str) -> str:
    """Breaks a text into lines of 100 columns, the later ones indented as far as the head."""
    return textwrap.fill(text, 100, initial_indent=head, subsequent_indent=" " * len(head))
