"""Real tuned studies of two variants that are one design, and how often a verdict is false.

python -m experiments.tuned_twins > experiments/results/tuned_twins.md

Two variants with the same spec are one design, whose trials are the same. So that each has luck of
its own, one of the two sees every image in a mirror: kernels are drawn without left or right, so
that its results have the same distribution, but not the same values. Its maps lose no column on one
side (28, 24, 12, 8, 4), and the mirror is exact. Each study trains on 2 % of MNIST that no other
has.
"""

import contextlib
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from cnn_ablation.claims import Claim, Verdict
from cnn_ablation.commands import entry
from cnn_ablation.data import LabeledImages, load_dataset
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec
from cnn_ablation.display.text import markdown_table
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.session import train_study
from cnn_ablation.study import Question, Study, Tuning, Variant
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.tuning_words import chosen_values
from cnn_ablation.study.verdicts import judge_results

NETWORK = NetworkSpec(features=(4, 8), kernel_size=5, pool=2, hidden=16)
CLAIM = Claim(
    *("plain", "mirror", "plain images are learned better", "test_accuracy"),
    contrasts=(("plain", "mirrored"),),
    margin=0.0,
)
TUNING = Tuning("learning_rate", (0.3, 1.0, 3.0), extensions=0)
_PERCENT = 2


def mirrored(folder: Path) -> Path:
    """MNIST with every image mirrored, as an npz file in Keras's form."""
    dataset = load_dataset()
    path = folder / "mirrored.npz"

    def part(split: str, images: LabeledImages) -> dict[str, np.ndarray]:
        flipped = images.images_NHWC[:, :, ::-1, 0]
        return {f"x_{split}": flipped, f"y_{split}": images.labels_N}

    arrays: dict[str, Any] = {**part("train", dataset.train), **part("test", dataset.test)}
    np.savez(path, **arrays)
    return path


def twins(dataset: Path) -> Study:
    """The design on plain and on mirrored images."""
    variants = (
        Variant("plain", NETWORK),
        Variant("mirrored", NETWORK, data={"dataset": str(dataset)}),
    )
    question = Question("mirror", "Mirror", variants, (CLAIM,))
    return Study("twins", "Are twins alike?", (question,), tuning=TUNING)


def run(study: Study, number: int, seeds: int, folder: Path) -> StudyResults:
    """One study, on training images of its own."""
    first = _PERCENT * number
    data = DataSpec(train_split=f"train[{first}%:{first + _PERCENT}%]", test_split="test[:20%]")
    options = StudyOptions.of(
        training=TrainingSpec(epochs=2),
        data=data,
        seeds=range(100 * number, 100 * number + seeds),
        workdir=str(folder / f"study-{number}"),
        timing_rounds=0,
        executor="inline",
    )
    # What a session says is not part of the table.
    with contextlib.redirect_stdout(sys.stderr):
        return train_study(study, options)


def row(number: int, results: StudyResults, verdicts: dict[str, Verdict]) -> list[str]:
    """What was chosen, and what both arms say."""
    assert results.tuning is not None
    chosen = [chosen_values(tuned) for tuned in results.tuning.variants]
    cells = []
    for name in ("plain", "plain-tuned"):
        (contrast,) = verdicts[name].contrasts
        interval = contrast.interval
        low, high = (100 * interval.low, 100 * interval.high) if interval else (0.0, 0.0)
        points = 100 * (contrast.difference or 0.0)
        cells.append(f"{verdicts[name].outcome}, {points:+.2f} [{low:+.2f}, {high:+.2f}]")
    return [str(number), *chosen, *cells]


_MODULE = "cnn_ablation: studies of twins"
flags.DEFINE_integer("twin_studies", 20, "how many studies", 1, 40, module_name=_MODULE)
flags.DEFINE_integer("twin_seeds", 8, "seeds of each", 6, module_name=_MODULE)


def main() -> None:
    """Prints a table of the studies and the counts."""
    count, seeds = flags.FLAGS.twin_studies, flags.FLAGS.twin_seeds
    rows = [["study", "rate, plain", "rate, mirrored", "as given, points", "tuned, points"]]
    outcomes: dict[str, Counter[str]] = {"plain": Counter(), "plain-tuned": Counter()}
    with tempfile.TemporaryDirectory() as name:
        study = twins(mirrored(Path(name)))
        for number in range(count):
            results = run(study, number, seeds, Path(name))
            verdicts = {verdict.claim.name: verdict for verdict in judge_results(results)}
            rows.append(row(number, results, verdicts))
            for arm, counts in outcomes.items():
                counts[verdicts[arm].outcome] += 1
    print("# Tuned studies of twins\n")
    print(f"Made by `python -m experiments.tuned_twins --twin_studies={count} ", end="")
    print(f"--twin_seeds={seeds}`. Tuned: {TUNING}.\n")
    for arm, counts in outcomes.items():
        told = ", ".join(f"{outcome} {counts[outcome]}" for outcome in sorted(counts))
        print(f"- {'tuned' if arm.endswith('tuned') else 'as given'}: {told}")
    print(f"\n{markdown_table(rows)}")


if __name__ == "__main__":
    entry.run(main, __doc__ or "")
