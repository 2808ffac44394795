"""Names that are safe as identifiers in a page and as file names."""

import re
from collections.abc import Sequence


def anchors(names: Sequence[str]) -> list[str]:
    """An identifier of letters, digits, `_` and single `-` for each name, all different."""
    found: list[str] = []
    for name in names:
        slug = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-") or "unnamed"
        anchor, number = slug, 2
        while anchor in found:
            anchor, number = f"{slug}-{number}", number + 1
        found.append(anchor)
    return found
