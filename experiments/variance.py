"""Where the spread of a design's seeds comes from: initial parameters, order, or noise.

    python -m experiments.variance --pool=2                           100 trainings, 5 minutes
    python -m experiments.variance --pool=2 --dropout=0.2 --sources=init,order,noise --levels=6

Every seed of one source is combined with every seed of the others (--init_seed, --order_seed,
--noise_seed), which a study of plain seeds cannot do: there they all change together. The variance
of test accuracy and loss after the last epoch is then split into what each source does alone and
what they do only together. Stopped, the same command goes on.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags as absl_flags
from numpy.typing import NDArray

from cnn_ablation.commands import entry, flags
from cnn_ablation.design import TrialSpec
from cnn_ablation.design.training import SEED_FIELDS
from cnn_ablation.design.words import short_name
from cnn_ablation.display.text import format_table
from cnn_ablation.errors import InputError
from cnn_ablation.execution.executors.options import ExecutorOptions
from cnn_ablation.inference.variance_parts import VariancePart, variance_parts
from cnn_ablation.study import Question, Study, Variant
from cnn_ablation.study.results import StudyResults
from cnn_ablation.system.files import write_text
from cnn_ablation.system.paths import user_path
from experiments.choices import chosen, required

FLAGS = absl_flags.FLAGS
SOURCES = {name: field for field, name in SEED_FIELDS.items()}
# Metric, what it is multiplied by for people, and its unit then.
METRICS = (("test_accuracy", 100.0, "points"), ("test_loss", 1.0, "nats"))
_MODULE = "cnn_ablation: variance"


def define_flags() -> None:
    """Defines the command's flags: those of one design, and its own."""
    flags.define_network_flags()
    flags.define_training_flags()
    flags.define_compute_flags()
    flags.define_record(ExecutorOptions, _MODULE)
    absl_flags.DEFINE_list("sources", ["init", "order"], "init, order, noise", module_name=_MODULE)
    absl_flags.DEFINE_integer("levels", 10, "seeds of each source", 2, module_name=_MODULE)
    absl_flags.DEFINE_string("workdir", None, "folder (default: under runs/)", module_name=_MODULE)


def main() -> int:
    """Trains what is missing, and says where the variance comes from."""
    spec, sources = flags.trial_spec(), required("sources", FLAGS.sources)
    for source in sources:
        chosen("sources", source, SOURCES)
    if len(set(sources)) < len(sources):
        raise InputError(f"--sources={','.join(sources)}: must name each source once")
    if "noise" in sources and not _is_noisy(spec):
        raise InputError("--sources=noise: means nothing without --dropout or --augment")
    study = crossing(spec, sources, FLAGS.levels)
    options = flags.study_options(
        training=spec.training,
        data=spec.data,
        seeds=range(1),
        controls=False,
        timing_rounds=0,
        workdir=FLAGS.workdir,
    )
    # Imported late: a mistake in a flag, or --help, need not wait for JAX.
    from cnn_ablation.execution.preparing import folder_of
    from cnn_ablation.execution.session import train_study

    results = train_study(study, options)
    return _conclude(results, sources, folder_of(study, options))


def crossing(spec: TrialSpec, sources: Sequence[str], levels: int) -> Study:
    """The study of every combination of so many seeds of each source."""
    variants = [
        Variant(
            " ".join(f"{source}={seed}" for source, seed in zip(sources, seeds, strict=True)),
            spec.network,
            training={SOURCES[source]: seed for source, seed in zip(sources, seeds, strict=True)},
        )
        for seeds in itertools.product(range(levels), repeat=len(sources))
    ]
    title = f"Where does the spread of {short_name(spec)} come from?"
    return Study("variance", title, (Question("sources", "Sources", tuple(variants)),))


def table_of(results: StudyResults, sources: Sequence[str], metric: str) -> NDArray[np.float64]:
    """A metric after the last epoch, one axis a source.

    Raises:
        InputError: a trial failed or diverged, so that the crossing is not full.
    """
    levels = round(len(results.study.variants) ** (1 / len(sources)))
    values = []
    for variant in results.study.variants:
        trials = results.trials_of(variant)
        if not trials or trials[0].status != "completed":
            raise InputError(f"{variant.label}: was not completed, so the crossing is not full")
        values.append(getattr(trials[0].epochs[-1], metric))
    return np.array(values).reshape((levels,) * len(sources))


def _is_noisy(spec: TrialSpec) -> bool:
    network = spec.network
    return bool(spec.training.augment or np.any(network.dropout) or network.head_dropout)


def _conclude(results: StudyResults, sources: Sequence[str], folder: Path) -> int:
    rows = [("metric", "source", "SD", "95 % interval", "share of variance")]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("metric", "sources", "variance", "low", "high"))
    for metric, scale, unit in METRICS:
        parts = variance_parts(table_of(results, sources, metric), sources)
        whole = sum(part.variance for part in parts) or 1.0
        for part in parts:
            rows.append((f"{metric} ({unit})", *_cells(part, scale, whole)))
            interval = part.interval
            named = " x ".join(part.sources)
            writer.writerow((metric, named, part.variance, interval.low, interval.high))
    print(f"\n{format_table(rows)}")
    path = user_path("workdir", str(folder)) / "variance.csv"
    write_text(path, file.getvalue())
    print(f"\nwritten  {path}")
    return 0


def _cells(part: VariancePart, scale: float, whole: float) -> tuple[str, str, str, str]:
    low, high = (scale * bound**0.5 for bound in (part.interval.low, part.interval.high))
    return (
        " x ".join(part.sources),
        f"{scale * part.sd:.3g}",
        f"{low:.3g} to {high:.3g}",
        f"{100 * part.variance / whole:.0f} %",
    )


if __name__ == "__main__":
    define_flags()
    entry.run(main, __doc__ or "")
