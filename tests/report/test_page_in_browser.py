"""The report in a real browser; skipped where the system has none."""

import itertools
import json
from pathlib import Path

import browser
import pytest
from PIL import Image
from synthetic_results import stride_study, synthetic_results

from cnn_ablation.report.content import compose
from cnn_ablation.report.pages import html_page

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(browser.program() is None, reason="no Chromium on this system"),
]

MEASURE = """
const boxes = [...document.querySelectorAll('body *')].filter(
  one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth
  && getComputedStyle(one).display !== 'inline'
  && !one.closest('svg, caption, nav, .scroll, .wide, pre'));
return JSON.stringify({
  over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  boxes: boxes.map(one => one.tagName + '.' + one.className),
  requests: performance.getEntriesByType('resource').map(one => one.name),
  dark: matchMedia('(prefers-color-scheme: dark)').matches,
  paper: getComputedStyle(document.body).backgroundColor,
});
"""
CONTRAST = """
const parts = text => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const behind = one => { for (; one; one = one.parentElement) {
  const found = parts(getComputedStyle(one).backgroundColor);
  if (found.length === 3 || found[3] === 1) return found; } };
document.querySelectorAll('details').forEach(one => one.open = true);
const low = [];
for (const one of document.querySelectorAll('body *')) {
  const own = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  if (!own || one.closest('svg') || ['SCRIPT', 'STYLE', 'CAPTION'].includes(one.tagName)) continue;
  const [a, b] = [light(parts(getComputedStyle(one).color)), light(behind(one))];
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < 4.5) low.push([one.tagName, one.className, one.textContent.slice(0, 30), ratio]);
}
return JSON.stringify(low);
"""
SORT = """
const table = document.querySelector('table.answers');
const button = table.tHead.rows[0].cells[1].querySelector('button');
const column = () => [...table.tBodies[0].rows].map(row => row.cells[1].innerText.trim());
const states = [button.parentNode.ariaSort];
button.focus(); button.click();
const up = column(); states.push(button.parentNode.ariaSort);
button.click();
states.push(button.parentNode.ariaSort);
const other = [...document.querySelectorAll('table.sortable')].find(
  one => [...one.tHead.rows[0].cells].some(cell => cell.innerText.includes('parameters')));
const at = [...other.tHead.rows[0].cells].findIndex(cell => cell.innerText.includes('parameters'));
other.tHead.rows[0].cells[at].querySelector('button').click();
const sizes = [...other.tBodies[0].rows].map(
  row => Number(row.cells[at].innerText.replace(/,/g, '')));
return JSON.stringify({states, up, down: column(), sizes});
"""
KEYS = """
const plot = document.querySelector('svg.plot[tabindex]');
const tip = document.getElementById('tip');
const press = key => plot.dispatchEvent(
  new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
plot.focus();
const before = tip.hidden;
press('ArrowRight'); const first = tip.textContent;
press('ArrowRight'); const second = tip.textContent, shown = !tip.hidden;
press('Escape');
const unreachable = [...document.querySelectorAll('.scroll')].filter(one => one.tabIndex !== 0);
return JSON.stringify({before, first, second, shown, after: tip.hidden,
  unreachable: unreachable.length, focused: document.activeElement === plot,
  titles: document.querySelectorAll('use > title').length});
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = synthetic_results(stride_study(), seeds=range(6), epochs=3, rounds=6)
    path = tmp_path_factory.mktemp("browser") / "report.html"
    path.write_text(html_page(compose(results)), encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_a_page_fits_asks_for_nothing_and_complains_of_nothing(
    page: Path, width: int, dark: bool
) -> None:
    said, *console = browser.probed(page, MEASURE, width=width, dark=dark).split("\n")
    found = json.loads(said)
    assert console == []
    assert found["requests"] == []
    assert found["over"] == 0
    assert found["boxes"] == []
    assert found["dark"] is dark
    assert found["paper"] == ("rgb(21, 24, 27)" if dark else "rgb(255, 255, 255)")


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_stands_out_from_its_paper(page: Path, dark: bool) -> None:
    assert json.loads(browser.probed(page, CONTRAST, dark=dark)) == []


def test_tables_are_sorted_by_their_headings(page: Path) -> None:
    found = json.loads(browser.probed(page, SORT))
    assert found["states"] == ["none", "ascending", "descending"]
    groups = [[name for name, _ in itertools.groupby(found[way])] for way in ("up", "down")]
    assert groups[0] == groups[1][::-1]
    assert len(groups[0]) == len(set(found["up"])) > 1
    assert found["sizes"] == sorted(found["sizes"])
    assert len(found["sizes"]) > 3


def test_points_tell_themselves_to_keys_too(page: Path) -> None:
    found = json.loads(browser.probed(page, KEYS))
    assert found["before"] and found["shown"] and found["after"]
    assert " − " in found["first"]
    assert found["second"] != found["first"]
    assert found["unreachable"] == found["titles"] == 0
    assert found["focused"]


def test_it_prints_on_few_sheets(page: Path, tmp_path: Path) -> None:
    assert 1 < browser.printed(page, tmp_path / "page.pdf") < 12


def test_it_is_drawn(page: Path, tmp_path: Path) -> None:
    browser.screenshot(page, tmp_path / "page.png")
    with Image.open(tmp_path / "page.png") as image:
        assert image.size == (1280, 900)
        colours = image.convert("RGB").getcolors(1 << 20)
        assert colours is not None and len(colours) > 100
