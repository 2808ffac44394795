"""The pages as a site: it builds without a network and without a warning."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import PAGES, ROOT

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(
        importlib.util.find_spec("mkdocs") is None
        or importlib.util.find_spec("mkdocstrings") is None,
        reason="mkdocs is not installed",
    ),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    # A network is as good as none.
    environment = {**os.environ, "https_proxy": "http://127.0.0.1:9", "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_on_it(site: Path) -> None:
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    for name in PAGES:
        if name.startswith("docs/"):
            assert name.removeprefix("docs/").replace(".md", ".html") in pages
    assert {"index.html", "CHANGELOG.html", "reference/inference.html"} <= pages
    assert not list(site.rglob("*.py"))


def test_the_reference_has_what_the_package_offers(site: Path) -> None:
    text = (site / "reference" / "python.html").read_text(encoding="utf-8")
    for name in ("run_study", "NetworkSpec", "train_study", "Study"):
        assert name in text
    assert "simultaneous_band" in (site / "reference" / "inference.html").read_text("utf-8")


def test_it_asks_nobody_for_anything(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r"<(?:script|img|iframe)[^>]*\bsrc=\"(?:https?:)?//", text), page
        assert not re.findall(r"<link[^>]*\bhref=\"(?:https?:)?//", text), page
    for style in site.rglob("*.css"):
        assert not re.search(r"@import|url\([\"']?https?:", style.read_text(encoding="utf-8"))


def test_pictures_of_the_pages_are_there(site: Path) -> None:
    shown = re.findall(r"<img[^>]*src=\"([^\"]+)\"", (site / "index.html").read_text("utf-8"))
    assert shown
    assert all((site / one).is_file() for one in shown)
