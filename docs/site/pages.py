"""What the site has beside docs/: the project's other pages, and the reference from docstrings.

A hook of mkdocs. In the repository pages link to each other by their paths there; on the site
README.md is the first page, and what has no page is named without a link.
"""

import ast
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
# From a page's path in the repository to its path on the site; pages of docs/ lose that folder.
BESIDE = {
    "README.md": "index.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "experiments/results/README.md": "experiments/results/README.md",
}
# Pages of the reference: the modules whose public names they hold.
REFERENCE = {
    "inference": ("Statistics of paired trials", ("cnn_ablation.inference",)),
    "claims": ("Claims and verdicts", ("cnn_ablation.claims",)),
    "study": ("Studies", ("cnn_ablation.study",)),
    "report": ("Reports", ("cnn_ablation.report", "cnn_ablation.report.map_figure")),
}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_CODE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages beside docs/, the pictures that they show and the reference."""
    for path, place in BESIDE.items():
        _add(files, config, place, (ROOT / path).read_text(encoding="utf-8"))
        for _, _, link in _LINK.findall((ROOT / path).read_text(encoding="utf-8")):
            _add_picture(
                files, config, posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
            )
    for source in ROOT.glob("docs/*.md"):
        for _, _, link in _LINK.findall(source.read_text(encoding="utf-8")):
            _add_picture(files, config, posixpath.normpath(posixpath.join("docs", link)))
    for name, (title, modules) in REFERENCE.items():
        text = "\n\n".join(f"::: {module}" for module in modules)
        _add(files, config, f"reference/{name}.md", f"# {title}\n\n{text}\n")
    _add(files, config, "reference/python.md", python_page())
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turns links between the repository's pages into links between the site's."""
    own = page.file.src_uri
    at = next((path for path, place in BESIDE.items() if place == own), f"docs/{own}")
    if own.startswith("reference/"):
        return markdown
    parts = _CODE.split(markdown)
    return "".join(
        part
        if part.startswith("```")
        else _LINK.sub(lambda link: _rewritten(link, at, own, files), part)
        for part in parts
    )


def python_page() -> str:
    """What `import cnn_ablation as cnn` offers, each name where it is defined.

    Those that a page of the reference has are on that page.
    """
    stub = ast.parse((ROOT / "cnn_ablation" / "__init__.pyi").read_text(encoding="utf-8"))
    names = [
        (node.module, alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    ]
    shown, elsewhere = [], []
    for module, name in names:
        page = module.partition(".")[0]
        if page in REFERENCE:
            elsewhere.append(f"`{name}`: [{REFERENCE[page][0]}]({page}.md)")
        else:
            shown.append(f"::: cnn_ablation.{module}.{name}")
    head = "# From Python\n\nWhat `import cnn_ablation as cnn` offers: `cnn.NAME` for each name."
    beside = "\n".join(f"- {line}" for line in sorted(elsewhere))
    return f"{head} These have pages of their own:\n\n{beside}\n\n" + "\n\n".join(shown) + "\n"


def _add(files: Files, config: Any, place: str, text: str) -> None:
    files.append(File.generated(config, place, content=text))


def _add_picture(files: Files, config: Any, path: str) -> None:
    """A picture that lies outside of docs/, under its path in the repository."""
    there = ROOT / path
    if (
        there.suffix in (".png", ".svg")
        and there.is_file()
        and files.get_file_from_path(path) is None
    ):
        files.append(File.generated(config, path, abs_src_path=str(there)))


def _rewritten(link: "re.Match[str]", at: str, own: str, files: Files) -> str:
    picture, text, target = link.groups()
    path, hash_mark, anchor = target.partition("#")
    if "://" in target or not path:
        return link[0]
    wanted = posixpath.normpath(posixpath.join(posixpath.dirname(at), path))
    place = BESIDE.get(
        wanted, wanted.removeprefix("docs/") if wanted.startswith("docs/") else wanted
    )
    if files.get_file_from_path(place) is None:
        # A file of the checkout that is no page: its name is enough.
        return text if text.startswith("`") else f"{text} (`{wanted}`)"
    shown = posixpath.relpath(place, posixpath.dirname(own) or ".")
    return f"{picture}[{text}]({shown}{hash_mark}{anchor})"
