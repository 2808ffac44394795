"""Where the notebook's conclusions on accuracy hold: learning rates by 1 to 20 epochs.

python -m experiments.published_map                 both published rates, all images
python -m experiments.published_map --map=rates     five rates, a tenth of the images

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
FOLDERS = {"published": ("epochs_20", "rate_1_epochs_20"), "rates": ("map/*",)}
PICTURES = {
    "published": Path("docs/pictures/map.png"),
    "rates": Path("docs/pictures/map-rates.png"),
}
EPOCHS = (1, 2, 3, 5, 10, 20)
FLAGS = flags.FLAGS
_MODULE = "cnn_ablation: the map"
flags.DEFINE_enum("map", "published", list(FOLDERS), "which trials", module_name=_MODULE)
flags.DEFINE_string(
    "out", None, "file, .png or .svg (default: in docs/pictures)", module_name=_MODULE
)


def main() -> None:
    """Draws the map."""
    picture = user_path("out", FLAGS.out) if FLAGS.out else PICTURES[FLAGS.map]
    draw_map(map_cells(verdicts_by_setting(FLAGS.map)), picture)
    print(f"written  {picture}")


def verdicts_by_setting(of: str = "published") -> dict[str, list[Verdict]]:
    """The verdicts on the accuracy claims at each setting, by what it is called.

    Args:
        of: which of the maps, a key of `FOLDERS`.
    """
    found = {}
    folders = [folder for pattern in FOLDERS[of] for folder in RESULTS.glob(pattern)]
    studies = sorted(map(load_results, folders), key=lambda study: study.training.learning_rate)
    for results in studies:
        for epochs in EPOCHS:
            at = at_epoch(results, epochs)
            verdicts = judge_point(at, declared=False, of=len(studies) * len(EPOCHS))
            label = f"rate {results.training.learning_rate:g}, {plural(epochs, 'epoch')}"
            found[label] = [v for v in verdicts if v.claim.metric == "test_accuracy"]
    return found


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
