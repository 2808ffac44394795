"""The first screen's numbers, axes that show what is open, and what points say of themselves."""

from xml.etree import ElementTree

import pytest
from matplotlib.axes import Axes
from synthetic_results import stride_study, synthetic_results

from cnn_ablation.claims import Claim, Setting, Verdict, judge
from cnn_ablation.claims.sentences import method_sentence, telling_contrast
from cnn_ablation.report.charts import Panel
from cnn_ablation.report.content import compose
from cnn_ablation.report.differences import difference_panel
from cnn_ablation.report.headlines import headline_of, words_of
from cnn_ablation.report.inlining import inline
from cnn_ablation.report.rendering import panel_svg

JITTER = [0.0, 0.001, -0.001, 0.0005, -0.0005, 0.0008, -0.0008, 0.0002, -0.0002, 0.0]


def _verdict(**means: float) -> Verdict:
    """Every other design claimed to be less accurate than A, by ten seeds."""
    table = {
        label: {
            seed: mean + (jitter if label != "A" else 0.0) for seed, jitter in enumerate(JITTER)
        }
        for label, mean in means.items()
    }
    contrasts = tuple(("A", label) for label in means if label != "A")
    claim = Claim("best", "q", "A is the best", "test_accuracy", contrasts)
    (verdict,) = judge([claim], {"test_accuracy": table}, Setting("mnist", 2, "adadelta", 1.0))
    return verdict


def test_a_headline_is_the_comparison_that_tells_most() -> None:
    holds = headline_of(_verdict(A=0.95, B=0.9, C=0.93))
    assert (holds.pair, holds.others) == ("A − C", "narrowest of 2")
    assert holds.difference.startswith("+2.00 [+1.9") and holds.difference.endswith("] points")
    fails = headline_of(_verdict(A=0.95, B=0.9, C=0.96))
    assert (fails.pair, fails.others) == ("A − C", "1 of 2 fail")
    assert fails.difference.startswith("−1.00 [−1.")
    opened = headline_of(_verdict(A=0.95, B=0.949, C=0.9))
    assert (opened.pair, opened.others) == ("A − B", "1 of 2 open")
    assert headline_of(_verdict(A=0.95, B=0.9)).others == ""


def test_without_data_the_reason_stands_there() -> None:
    claim = Claim("x", "q", "A beats B", "test_accuracy", (("A", "B"),), min_epochs=20)
    (verdict,) = judge([claim], {}, Setting("mnist", 2, "adadelta", 1.0))
    assert telling_contrast(verdict) is None
    assert headline_of(verdict).difference == "it speaks of 20 epochs or more"
    assert method_sentence([verdict]) == ""
    assert dict(words_of([verdict])).keys() == {"not judged"}


def test_only_the_words_that_are_used_are_explained() -> None:
    words = dict(words_of([_verdict(A=0.95, B=0.96)]))
    assert words.keys() == {"fails", "reversed", "[low, high]"}


@pytest.mark.parametrize(("far", "hidden"), [(0.5, True), (0.947, False)])
def test_an_axis_leaves_room_for_what_is_open(far: float, hidden: bool) -> None:
    panel = difference_panel(_verdict(A=0.95, B=0.9495, C=far))
    assert panel is not None
    limits = []
    seen = Panel(panel.name, panel.alt, lambda axes: limits.append(_drawn(panel, axes)))
    svg, _ = panel_svg(seen)
    (low, high), words = limits[0]
    assert low < 0.0 < high
    assert high < 5.0
    assert any("▸" in word for word in words) is hidden
    assert svg


def _drawn(panel: Panel, axes: Axes) -> tuple[tuple[float, float], list[str]]:
    panel.draw(axes)
    return axes.get_xlim(), [text.get_text() for text in axes.texts]


def test_points_name_their_seed() -> None:
    results = synthetic_results(stride_study(), seeds=range(3, 9))
    (section,) = compose(results).sections
    panel = next(found.panel for found in section.findings if found.panel)
    svg, tips = panel_svg(panel)
    root = ElementTree.fromstring(inline(svg, "name", panel.alt, tips))
    titles = [element.text or "" for element in root.iter("title")]
    assert any(title.startswith(("seed 3: ", "round 1: ")) for title in titles)
    assert sum(map(len, tips.values())) == len(titles)


def test_a_group_that_lost_points_says_nothing_wrong() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
        '<g id="tips-0"><use x="1"/><use x="2"/></g></svg>'
    )
    assert "<title>" not in inline(svg, "name", "alt", {"tips-0": ("only one",)})
    both = inline(svg, "name", "alt", {"tips-0": ("first", "<second>")})
    assert "<title>first</title>" in both and "&lt;second&gt;" in both
