"""Where the notebook's conclusions on accuracy hold: both published rates, 1 to 20 epochs.

python -m experiments.published_map

Drawn from the committed trials of 20 epochs, whose beginnings are trainings of fewer: nothing is
trained.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cnn_ablation.claims import Verdict
from cnn_ablation.claims.words import plural
from cnn_ablation.commands import entry
from cnn_ablation.report.map_figure import draw_map
from cnn_ablation.report.map_files import map_cells
from cnn_ablation.study.map import at_epoch, judge_point
from cnn_ablation.study.store import load_results
from cnn_ablation.system.paths import user_path

RESULTS = Path(__file__).parent / "results"
FOLDERS = ("epochs_20", "rate_1_epochs_20")
EPOCHS = (1, 2, 3, 5, 10, 20)
FLAGS = flags.FLAGS
flags.DEFINE_string(
    "out", "docs/pictures/map.png", "file, .png or .svg", module_name="cnn_ablation: the map"
)


def main() -> None:
    """Draws the map."""
    picture = user_path("out", FLAGS.out)
    draw_map(map_cells(verdicts_by_setting()), picture)
    print(f"written  {picture}")


def verdicts_by_setting() -> dict[str, list[Verdict]]:
    """The verdicts on the accuracy claims at each setting, by what it is called."""
    found = {}
    for folder in FOLDERS:
        results = load_results(RESULTS / folder)
        for epochs in EPOCHS:
            at = at_epoch(results, epochs)
            verdicts = judge_point(at, declared=False, of=len(FOLDERS) * len(EPOCHS))
            label = f"rate {results.training.learning_rate:g}, {plural(epochs, 'epoch')}"
            found[label] = [v for v in verdicts if v.claim.metric == "test_accuracy"]
    return found


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
