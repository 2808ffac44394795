"""Whole reports of invented results: what they say, that they are sound pages, edge cases."""

import csv
import dataclasses
import importlib
import io
import itertools
import re
import statistics
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from page_reader import Page
from PIL import Image
from synthetic_results import relabelled, stride_study, synthetic_results, two_question_study

from cnn_ablation.design import NetworkSpec, TrialSpec
from cnn_ablation.report import pages, write_report
from cnn_ablation.report.content import compose
from cnn_ablation.study import Question, Study, Variant, rows
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import judge_results

HOSTILE = (
    "<script>alert('x')</script> | `a` *b* _c_ $x^$ & \"d\" \\ {{ 7*7 }} ]]> \n é 漢 x" + "y" * 60
)


def _hostile_study() -> Study:
    return relabelled(stride_study(), HOSTILE)


@pytest.fixture(scope="module")
def results() -> StudyResults:
    return synthetic_results(two_question_study(), epochs=3, rounds=9)


@pytest.fixture(scope="module")
def folder(results: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_report(results, tmp_path_factory.mktemp("report") / "new")
    assert path.name == "report.html"
    return path.parent


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def markdown(folder: Path) -> str:
    return (folder / "report.md").read_text(encoding="utf-8")


def _require_sound(page: Page) -> None:
    """Balanced, no id twice, every reference resolved, nothing loaded from anywhere."""
    assert not page.faults
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for reference in (*page.values("href"), *page.values("xlink:href")):
        assert reference.startswith("#")
        assert reference[1:] in ids
    assert set(page.values("aria-labelledby")) <= set(ids)
    assert not page.values("src")
    assert not page.values("srcset")
    named = [tag for tag, _, _ in page.tags]
    assert not {"link", "img", "iframe", "object"} & set(named)
    assert named.count("script") == 1


def _require_even_tables(markdown: str) -> None:
    """In every table all rows have as many cells as the first."""
    for together, lines in itertools.groupby(markdown.splitlines(), lambda x: x.startswith("|")):
        if together:
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


def test_page_is_sound_and_loads_nothing(page: Page, folder: Path) -> None:
    _require_sound(page)
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"url\((?!#)|@import|https?:", text)
    references = re.findall(r"url\(#([^)]+)\)", text)
    assert references
    assert set(references) <= set(page.values("id"))


def test_page_is_accessible(page: Page) -> None:
    html = next(attributes for tag, attributes, _ in page.tags if tag == "html")
    assert html["lang"] == "en"
    for tag, attributes, around in page.tags:
        if tag == "svg":
            assert attributes.get("aria-label") or attributes.get("aria-hidden") == "true"
        if tag == "table":
            assert around[-1] == "div"
        if tag == "th":
            assert attributes["scope"] in ("col", "row")
    scrolled = [a for tag, a, _ in page.tags if tag == "div" and a.get("class") == "scroll"]
    assert len(scrolled) == sum(tag == "table" for tag, _, _ in page.tags)
    assert all(a["tabindex"] == "0" and a["aria-label"] for a in scrolled)
    levels = [int(tag[1]) for tag, _, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_every_verdict_is_a_sentence_in_both(
    page: Page, markdown: str, results: StudyResults
) -> None:
    for verdict in judge_results(results):
        assert verdict.claim.text in page.text
        assert verdict.findings() in page.text
        if "20 epochs" not in verdict.findings():
            assert page.text.count(verdict.findings()) == 1
        assert pages.escape_markdown(verdict.sentence()) in markdown


def test_tables_hold_the_figures(page: Page, markdown: str, results: StudyResults) -> None:
    spec = TrialSpec(NetworkSpec(stride=2), results.training)
    accuracies = [100 * t.epochs[-1].test_accuracy for t in results.trials if t.spec == spec]
    times = [t.train_seconds for t in results.timings if t.spec == spec]
    row = next(row for row in page.rows if row[0] == "s2" and len(row) == 8)
    mean, sd = statistics.fmean(accuracies), statistics.stdev(accuracies)
    assert row[1].startswith(f"{mean:.2f} ± {sd:.2f} [")
    assert row[2] == "15.12 2.1892, 31.4"
    assert float(row[4].split()[0]) == pytest.approx(statistics.median(times), rel=5e-3)
    assert row[5:] == ["10", "20,042", "72,392"]
    assert f"| s2 | {mean:.2f} ± {sd:.2f}<br>" in markdown


def test_control_arm_and_layers_are_shown(page: Page, results: StudyResults) -> None:
    (kernels, _) = compose(results).sections
    assert kernels.control is not None
    assert [f.verdict.claim.name for f in kernels.control.findings] == [
        "kernel-accuracy-equal-params",
        "kernel-longer-equal-params",
        "kernel-accuracy-by-params",
        "kernel-longer-by-params",
    ]
    assert kernels.findings == (*kernels.main.findings, *kernels.control.findings)
    controls = [v.label for q in results.study.questions for v in q.variants if v.control_of]
    named = [row[0] for row in page.rows]
    assert controls
    assert set(controls) <= set(named)
    variants = sum(len(q.variants) for q in results.study.questions)
    assert named.count("logits") == named.count("total") == variants


def test_markdown_shows_every_figure_file(markdown: str, folder: Path) -> None:
    shown = re.findall(r"\]\(figures/([^)]+)\)", markdown)
    assert {path.name for path in (folder / "figures").glob("*.svg")} == set(shown)
    for name in shown:
        ElementTree.parse(folder / "figures" / name)
        with Image.open(folder / "figures" / f"{name[:-4]}.png") as image:
            assert image.width == 1245


def test_csv_has_a_row_per_trial_and_epoch(folder: Path, results: StudyResults) -> None:
    with (folder / "results.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    epochs = [(trial, epoch) for trial in results.trials for epoch in trial.epochs]
    assert len(found) == len(epochs) == 19 * 10 * 3
    for row, (trial, epoch) in zip(found, epochs, strict=True):
        assert (row["trial_id"], int(row["seed"])) == (
            results.plan.trial_id(trial.spec, trial.seed),
            trial.seed,
        )
        assert float(row["test_accuracy"]) == epoch.test_accuracy
    assert found[0]["variants"] == "kernel_size: k3,3; stride: s1"


def test_parquet_holds_what_the_csv_holds() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    results = synthetic_results(
        stride_study(), seeds=range(2), status_of=lambda d, s: "failed" if d == s else "completed"
    )
    table = rows.rows_of(results)
    content = rows.to_parquet(table)
    assert content is not None
    read = parquet.read_table(io.BytesIO(content)).to_pylist()
    assert read == table
    assert [str(row["epoch"] or "") for row in read] == [
        row["epoch"] for row in csv.DictReader(io.StringIO(rows.to_csv(table)))
    ]


def test_no_parquet_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    assert rows.to_parquet([]) is None


def test_equal_results_give_equal_bytes(tmp_path: Path) -> None:
    results = synthetic_results(stride_study(), seeds=range(3), rounds=2)
    write_report(results, tmp_path / "one")
    with matplotlib.rc_context({"font.size": 30, "xtick.direction": "in"}):
        write_report(results, tmp_path / "two")
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.*"))
    assert len(files) == 25
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_order_of_trials_does_not_matter() -> None:
    results = synthetic_results(stride_study(), seeds=range(3), rounds=2)
    turned = dataclasses.replace(results, trials=results.trials[::-1])
    assert pages.markdown_page(compose(results)) == pages.markdown_page(compose(turned))


def _bare() -> StudyResults:
    question = Question("q", "Q", (Variant("a", NetworkSpec()),))
    return synthetic_results(Study("bare", "No claims", (question, question)), seeds=(0, 1))


def _some_lost(design: int, seed: int) -> str:
    return ("completed", "diverged", "failed", "missing")[(design + seed) % 4]


CASES: dict[str, Callable[[], StudyResults]] = {
    "one seed, one epoch, no timings": lambda: synthetic_results(
        stride_study(), seeds=(3,), epochs=1, rounds=0
    ),
    "nothing yet": lambda: synthetic_results(
        stride_study(), rounds=0, status_of=lambda d, s: "missing"
    ),
    "no seeds": lambda: synthetic_results(stride_study(), seeds=()),
    "some lost": lambda: synthetic_results(
        stride_study(), seeds=range(3), rounds=1, status_of=_some_lost
    ),
    "all diverged": lambda: synthetic_results(
        stride_study(), seeds=range(2), status_of=lambda d, s: "diverged"
    ),
    "no claims, two questions of one name": _bare,
    "hostile labels": lambda: synthetic_results(_hostile_study(), seeds=range(3), epochs=20),
}


@pytest.mark.parametrize("name", CASES)
def test_edge_cases_give_sound_pages(name: str) -> None:
    results = CASES[name]()
    content = compose(results)
    page = Page(pages.html_page(content))
    _require_sound(page)
    assert "None" not in page.text
    assert "nan" not in page.text.split()
    markdown = pages.markdown_page(content)
    assert "None" not in markdown
    _require_even_tables(markdown)
    for variant in results.study.questions[0].variants:
        assert " ".join(variant.label.split()) in page.text


def test_one_epoch_is_no_curve() -> None:
    (section,) = compose(CASES["one seed, one epoch, no timings"]()).sections
    assert [chart.name for chart in section.main.files()] == [
        "stride-outcomes",
        "stride-tradeoff",
        "stride-differences",
    ]


def test_what_is_lost_is_said() -> None:
    results = CASES["some lost"]()
    page = Page(pages.html_page(compose(results)))
    counts = Counter(_some_lost(design, seed) for design in range(9) for seed in range(3))
    lost = ", ".join(f"{counts[status]} {status}" for status in ("diverged", "failed", "missing"))
    assert f"Of 27 trials {lost}: figures" in page.text
    listed = Counter(row[2] for row in page.rows if len(row) == 5)
    assert (listed["diverged"], listed["failed"]) == (counts["diverged"], counts["failed"])
    errors = [row[4] for row in page.rows if len(row) == 5 and row[2] == "failed"]
    assert all("MemoryError" in error for error in errors)


def test_hostile_labels_are_text_and_nothing_else() -> None:
    content = compose(CASES["hostile labels"]())
    html = pages.html_page(content)
    assert html.count("<script") == 1
    assert "{{ 7*7 }}" in html
    markdown = pages.markdown_page(content)
    assert not re.search(r"(?<!\\)<script", markdown)


def test_command_repeats_the_settings() -> None:
    results = synthetic_results(stride_study(), seeds=range(5, 9), epochs=20)
    assert compose(results).command == (
        "python -m experiments.stride --seed=5 --num_seeds=4 --epochs=20 --learning_rate=1.0 "
        "--controls=true --timing_rounds=7"
    )
    assert compose(_bare()).command.startswith("python bare.py --seed=0 --num_seeds=2 ")
    assert "--controls=false" in compose(_bare()).command
