"""Lines of trials: columns with names, and no wider than the terminal."""

import dataclasses

import pytest
from filled_study import ALL, trial

from cnn_ablation.execution.trial_lines import TrialLines, result_of

LABELS = ["s1", "k7,9 with a name that is far too long for any column of any terminal at all"]


def _lines(live: bool, width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = TrialLines(LABELS, 300, live=live)
    headings = lines.headings_for(ALL[0])
    assert lines.headings_for(ALL[1]) == ""
    rows = [lines.row(n, label, ALL[n], "left 0:01:30") for n, label in enumerate(LABELS)]
    failed = dataclasses.replace(ALL[0], status="failed", epochs=(), error="out of luck " * 20)
    return [headings, *rows, lines.row(300, "s1", failed, "")]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_fit_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    headings, *rows = _lines(True, width, monkeypatch)
    assert all(len(line) < width for line in (headings, *rows))
    assert headings.split()[:3] == ["trial", "design", "seed"]
    assert "left" not in headings
    if width >= 80:
        end = headings.index("accuracy") + len("accuracy")
        assert rows[0][:end].endswith("%")
        assert rows[1][:end].endswith("%")


def test_a_file_gets_whole_lines_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    headings, first, second, failed = _lines(False, 40, monkeypatch)
    assert headings.endswith("left")
    assert LABELS[1] in second
    assert first.endswith("0:01:30")
    assert failed.endswith(("out of luck " * 20).strip())


def test_a_result_in_words() -> None:
    done = trial(ALL[0].spec, 0)
    assert result_of(done).startswith("test accuracy ")
    lost = dataclasses.replace(done, status="diverged", epochs=done.epochs[:1])
    assert result_of(lost).startswith("diverged after 1 epochs")
