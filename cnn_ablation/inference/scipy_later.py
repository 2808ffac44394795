"""SciPy, imported where it is first used: declaring and training a study need none of it.

Its distributions alone take a second to import, in which a command would say nothing.
"""

import importlib
from typing import Any


class _Later:
    """Stands for a module until something of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


optimize, special, stats = map(_Later, ("scipy.optimize", "scipy.special", "scipy.stats"))
