"""The project's pages in Markdown, and what stands in them: code in blocks and lines, links."""

import collections
import dataclasses
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from cnn_ablation import studies

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        ROOT / "experiments" / "results" / "README.md",
    )
}
_BLOCK = re.compile(r"^```(\w+) ?(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_COMMAND = re.compile(r"python -m ((?:cnn_ablation|experiments)\.\w+)([^`]*)")
# Of the one command the same, under the module that a subcommand is.
_ONE = re.compile(r"(?:^|\$ )cnn-ablation (\w+)([^`]*)")
_SAME = {
    "train": "cnn_ablation.main",
    "judge": "cnn_ablation.judge",
    "report": "cnn_ablation.report",
}
# Help is asked for without flags; the others are places to fill in.
_NO_WORDS = ("--help", "...", "NAME")
_FILE = re.compile(r"^python (\w+\.py)(.*)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        page: the page's path from the project's root.
        language: the first word behind the three ticks.
        source: the words after it: `from FILE` marks an excerpt.
        text: the code.
    """

    page: str
    language: str
    source: str
    text: str


@dataclasses.dataclass(frozen=True)
class Script:
    """A Python block as a file to run, with the command that the page gives for it, if any."""

    block: Block
    name: str
    flags: str


def blocks(page: str) -> list[Block]:
    """The blocks of code of a page, in their order."""
    return [Block(page, *found.groups()) for found in _BLOCK.finditer(PAGES[page])]


def scripts() -> Iterator[Script]:
    """Every Python block that is no excerpt; the next shell block may say how it is run."""
    for page in PAGES:
        found = blocks(page)
        for number, block in enumerate(found):
            if block.language != "python" or block.source:
                continue
            following = found[number + 1] if number + 1 < len(found) else block
            command = _FILE.search(following.text) if following.language == "sh" else None
            name, flags = command.groups() if command else (f"block_{number}.py", "")
            yield Script(block, name, flags.partition("#")[0].strip())


def excerpts() -> list[Block]:
    """Every block that says of which file it is an excerpt."""
    return [block for page in PAGES for block in blocks(page) if block.source]


def spans(page: str) -> list[str]:
    """The code in a page's lines, outside of its blocks."""
    return _SPAN.findall(_BLOCK.sub("", PAGES[page]))


def code_lines(page: str) -> list[str]:
    """Lines of a page's blocks that are no Python, without comments, and the code in its lines."""
    lines = [
        line.partition(" #")[0]
        for block in blocks(page)
        if block.language != "python"
        for line in block.text.splitlines()
    ]
    return [*lines, *spans(page)]


def links(page: str) -> list[str]:
    """The targets of a page's links, but for addresses."""
    return [link for link in _LINK.findall(PAGES[page]) if "://" not in link]


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = _HEADING.findall(_BLOCK.sub("", PAGES[page]))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def commands() -> dict[str, list[list[str]]]:
    """The words behind each `python -m MODULE` of ours on any page, by module."""
    found: dict[str, list[list[str]]] = collections.defaultdict(list)
    for page in PAGES:
        for line in code_lines(page):
            for module, rest in _COMMAND.findall(line):
                found[module].append(_words(rest))
            for name, rest in _ONE.findall(line):
                words = _words(rest)
                if name == "study" and words and words[0] in studies.NAMES:
                    found[f"experiments.{words[0]}"].append(words[1:])
                elif name in _SAME:
                    found[_SAME[name]].append(words)
                else:
                    found[f"cnn_ablation {name}"].append(words)
    return found


def _words(rest: str) -> list[str]:
    words = shlex.split(re.split(r" [|>&]", rest)[0])
    # Images of the reader's own are not there.
    return [w for w in words if w not in _NO_WORDS and not w.startswith("--dataset=./")]
