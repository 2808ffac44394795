"""The report's pages, from templates that hold all their markup."""

import base64
import functools
import hashlib
import re
from collections.abc import Sequence

import jinja2
from markupsafe import Markup

from cnn_ablation.report.charts import Panel
from cnn_ablation.report.comparison import Comparison
from cnn_ablation.report.inlining import inline
from cnn_ablation.report.looks import Look
from cnn_ablation.report.parts import Content, Finding
from cnn_ablation.report.rendering import panel_svg, swatch_svg
from cnn_ablation.report.tables import Table

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$])")


def html_page(content: Content) -> str:
    """The report as one page that needs nothing else: style and figures are in it."""
    return _html().get_template("report.html.j2").render(report=content)


def comparison_page(comparison: Comparison) -> str:
    """Several studies on one page, which needs nothing else either."""
    return _html().get_template("comparison.html.j2").render(report=comparison)


def markdown_page(content: Content) -> str:
    """The report in Markdown, its figures in files beside it."""
    return _markdown().get_template("report.md.j2").render(report=content)


def markdown_table(of: Table) -> str:
    """One table in Markdown."""
    return _markdown_part("table", of)


def markdown_findings(of: Sequence[Finding]) -> str:
    """Verdicts in Markdown, a point each."""
    return _markdown_part("findings", of)


def escape_markdown(text: str) -> str:
    """Text that Markdown, and the HTML that Markdown may hold, shows as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.replace("&", "&amp;").split()))


def _markdown_part(name: str, of: object) -> str:
    return str(getattr(_markdown().get_template("parts.md.j2").module, name)(of))


def _html() -> jinja2.Environment:
    """With the page's script, and its hash: the page runs that script and no other."""
    environment = _environment(autoescape=True)
    assert environment.loader is not None
    script, _, _ = environment.loader.get_source(environment, "report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.globals |= {
        "plot": _plot,
        "swatch": _swatch,
        "script": Markup(script),
        "script_hash": f"sha256-{digest}",
        "once": _Once(),
    }
    return environment


class _Once:
    """Whether a text is asked about for the first time: a page says each thing once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, text: str) -> bool:
        new = text not in self._said
        self._said.add(text)
        return new


def _markdown() -> jinja2.Environment:
    environment = _environment(autoescape=False)
    environment.filters["md"] = escape_markdown
    return environment


def _environment(*, autoescape: bool) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("cnn_ablation.report"),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _plot(panel: Panel, name: str) -> Markup:
    # What `inline` returns was written by an XML library: its texts are escaped.
    svg, tips = panel_svg(panel)
    return Markup(inline(svg, name, panel.alt, tips))


def _swatch(look: Look, name: str) -> Markup:
    return Markup(inline(_drawn(look), name))


@functools.cache
def _drawn(look: Look) -> str:
    return swatch_svg(look)
