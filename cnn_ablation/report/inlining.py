"""Drawings made part of a page: its fonts, its colours light or dark, ids that are unique in it."""

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from cnn_ablation.report.looks import FAINT, INK, PAPER

# A page's style sheet defines these (see `templates/report.css`).
_COLOURS = {INK: "currentColor", FAINT: "var(--faint)", PAPER: "var(--paper)"}
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_LONG_NUMBER = re.compile(r"(\.\d\d)\d+")
_FONT = re.compile(r"font-family: [^;]+; ")
# Attributes that hold coordinates or styles; in them two decimals of a pixel are plenty.
_GEOMETRY = ("d", "x", "y", "transform", "width", "height")


def inline(
    svg: str, name: str, alt: str = "", tips: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Turns an SVG file into an element of an HTML page.

    Args:
        svg: the file's text, as matplotlib writes it.
        name: prefix of its ids, unique in the page.
        alt: what it shows; empty for decoration, which is hidden from screen readers.
        tips: texts of points, by the id of the group that holds them.
    """
    root = ElementTree.fromstring(svg)
    _drop(root, {"metadata", "style"})
    titles = _titles(root, tips or {})
    ids = {old: f"{name}-{number}" for number, old in enumerate(_referenced(root), start=1)}
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            _local(key): _rewrite(_local(key), value, ids)
            for key, value in element.attrib.items()
            if key != "id" or value in ids
        }
        element.tail = None
        if element.tag != "text":
            element.text = None
    for point, text in titles:
        ElementTree.SubElement(point, "title").text = text
    view_box = root.attrib["viewBox"]
    _, _, width, height = view_box.split()
    root.attrib = {"class": "plot", "viewBox": view_box, "width": width, "height": height}
    root.attrib |= {"role": "img", "aria-label": alt} if alt else {"aria-hidden": "true"}
    return ElementTree.tostring(root, encoding="unicode")


def _titles(
    root: ElementTree.Element, tips: Mapping[str, Sequence[str]]
) -> list[tuple[ElementTree.Element, str]]:
    """Each point with its text; none of a group in which points were left out as not visible."""
    found: list[tuple[ElementTree.Element, str]] = []
    for group in root.iter():
        texts = tips.get(group.attrib.get("id", ""), ())
        points = [one for one in group.iter() if _local(one.tag) == "use"] if texts else []
        if len(points) == len(texts):
            found += zip(points, texts, strict=True)
    return found


def _drop(root: ElementTree.Element, tags: set[str]) -> None:
    for parent in list(root.iter()):
        for child in [c for c in parent if _local(c.tag) in tags]:
            parent.remove(child)


def _referenced(root: ElementTree.Element) -> list[str]:
    """Ids that other elements point to, in the order of their first mention."""
    found: dict[str, None] = {}
    for element in root.iter():
        for key, value in element.attrib.items():
            if _local(key) == "href" and value.startswith("#"):
                found[value.removeprefix("#")] = None
            found |= dict.fromkeys(_REFERENCE.findall(value))
    return list(found)


def _rewrite(key: str, value: str, ids: dict[str, str]) -> str:
    if key == "id":
        return ids[value]
    if key == "href" and value.startswith("#"):
        return f"#{ids[value.removeprefix('#')]}"
    if key in _GEOMETRY:
        return _LONG_NUMBER.sub(r"\1", value.replace("\n", " ").strip())
    if key == "style":
        value = _FONT.sub("", value)
        for colour, replacement in _COLOURS.items():
            value = value.replace(colour, replacement)
    return _REFERENCE.sub(lambda match: f"url(#{ids[match[1]]})", value)


def _local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]
