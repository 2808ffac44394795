"""A real browser, where the system has one: Chromium without a window, by its command line."""

import contextlib
import functools
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    *("--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--mute-audio"),
    *("--no-sandbox", "--allow-file-access-from-files", "--disable-extensions"),
)
_SECONDS = 90


@functools.cache
def program() -> str | None:
    """The browser's program, or None where there is none that starts."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


@contextlib.contextmanager
def _profile() -> Iterator[str]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield f"--user-data-dir={folder}"


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs the browser once; it ends by itself."""
    found = program()
    assert found is not None
    with _profile() as profile:
        return subprocess.run(
            [found, *_FLAGS, profile, *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
        )


def probed(page: Path, script: str, *, width: int = 1280, dark: bool = False) -> str:
    """What a script finds in a page that is so many pixels wide, and the browser's complaints.

    The page is shown in a frame, for a window is no narrower than 500 pixels. The script is the
    body of a function that returns a text; it runs in the page, under the page's own policy.

    Returns:
        The text, then each message of the page's console on a line of its own.
    """
    text = page.read_text(encoding="utf-8")
    policy = re.search(r"script-src '([^']+)'", text)
    assert policy is not None
    # The probe is no part of the page: the policy lets it in beside the page's own script.
    probe = (
        "<script nonce='probe'>addEventListener('load',()=>{let said;"
        "try{said=(()=>{" + script + "})()}catch(error){said='failed: '+error}"
        "parent.postMessage(String(said),'*')})</script></body>"
    )
    text = text.replace(policy[0], f"{policy[0]} 'nonce-probe'").replace("</body>", probe)
    inner, outer = page.with_name("probed.html"), page.with_name("frame.html")
    inner.write_text(text, encoding="utf-8")
    outer.write_text(
        "<!DOCTYPE html><pre id=said></pre>"
        f"<iframe src='probed.html' style='width:{width}px;height:900px;border:0'></iframe>"
        "<script>addEventListener('message',e=>{said.textContent=e.data})</script>",
        encoding="utf-8",
    )
    looks = ("--blink-settings=preferredColorScheme=0",) if dark else ()
    done = run(
        *looks,
        f"--window-size={max(width, 500) + 50},1000",
        "--enable-logging=stderr",
        "--virtual-time-budget=4000",
        "--dump-dom",
        outer.as_uri(),
    )
    found = re.search(r"<pre id=\"said\">(.*?)</pre>", done.stdout, re.DOTALL)
    assert found is not None, done.stdout[:500]
    console = re.findall(r"CONSOLE[^\"]*(\".*?), source:", done.stderr)
    return "\n".join([found[1].replace("&gt;", ">").replace("&lt;", "<"), *console])


def screenshot(page: Path, path: Path, *, width: int = 1280, height: int = 900) -> None:
    """A picture of the top of a page."""
    run(f"--window-size={width},{height}", f"--screenshot={path}", page.as_uri())


def printed(page: Path, path: Path) -> int:
    """Prints a page to a PDF file and counts its sheets."""
    run("--no-pdf-header-footer", f"--print-to-pdf={path}", page.as_uri())
    return len(re.findall(rb"/Type\s*/Page[^s]", path.read_bytes()))
