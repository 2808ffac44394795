"""What a page says of single points where a reader points at them."""

import weakref
from collections.abc import Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.figure import Figure

_TEXTS: weakref.WeakKeyDictionary[Artist, tuple[str, ...]] = weakref.WeakKeyDictionary()


def tip(artist: Artist, texts: Sequence[str]) -> None:
    """Gives each point of a line its text, in the order of the points."""
    _TEXTS[artist] = tuple(texts)


def marked(figure: Figure) -> Mapping[str, tuple[str, ...]]:
    """Gives each artist with texts an id in the figure's file, and returns the texts by id."""
    found: dict[str, tuple[str, ...]] = {}
    for artist in figure.findobj(lambda one: one in _TEXTS):
        name = f"tips-{len(found)}"
        artist.set_gid(name)
        found[name] = _TEXTS[artist]
    return found
