"""How much the atlas took, and what the same would have taken in Keras."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from cnn_ablation.display.text import clock, markdown_table
from cnn_ablation.study.results import StudyResults
from experiments.atlas.states import State

SPEED = Path(__file__).parents[2] / "docs" / "speed.md"
# A design of the notebook and its seconds: ours, PyTorch's, Keras's.
_ROW = re.compile(
    r"^\| [a-z0-9-]+ \| ([\d.]+) \| [\d.]+ \| ([\d.]+)[^|]* \| [\d.]+ \| \d+ % \|", re.M
)


def seconds(states: Sequence[State]) -> float:
    """Seconds in which something was trained or evaluated, each worker's for itself."""
    return sum(
        epoch.train_seconds + epoch.eval_seconds
        for state in states
        for trial in state.trials
        for epoch in trial.epochs
    )


def spared(results: StudyResults) -> int:
    """Trials that a sequential study did not need, against all seeds of every design."""
    if results.plan.schedule is None:
        return 0
    return len(results.plan.designs) * len(results.seeds) - len(results.trials)


def times_keras() -> float:
    """How many times as long Keras takes for an epoch: geometric mean over the notebook's designs.

    From the table of `docs/speed.md`, whose commands are there.
    """
    ratios = [float(keras) / float(ours) for ours, keras in _ROW.findall(SPEED.read_text())]
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def cost_table(states: Sequence[State]) -> str:
    """A row for each part of the atlas."""
    factor = times_keras()
    rows = [["part", "studies", "trials", "epochs", "time trained", "in Keras", "spared"]]
    parts = dict.fromkeys(state.entry.part for state in states)
    for part in (*parts, "all"):
        own = [state for state in states if part in ("all", state.entry.part)]
        trials = [trial for state in own for trial in state.trials]
        took = seconds(own)
        saved = sum(spared(s.results) for s in own if s.results and s.is_done)
        rows.append(
            [
                part,
                f"{sum(state.is_done for state in own)} of {len(own)}",
                f"{len(trials):,}",
                f"{sum(len(trial.epochs) for trial in trials):,}",
                clock(took),
                clock(took * factor),
                f"{saved:,}" if saved else "–",
            ]
        )
    return markdown_table(rows)
