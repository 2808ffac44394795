"""Statistics of paired trials: pure functions over numbers, NumPy and SciPy only.

The replication unit is a seed (or a timing round); two variants are compared unit by unit. Nothing
here knows what a network is, so it serves anyone's numbers::

    from cnn_ablation import inference as statistics
    result = statistics.compare({0: 0.981, 1: 0.979}, {0: 0.975, 1: 0.976})
    result.difference, result.interval, result.p_value
"""

from cnn_ablation.inference.bands import Band, simultaneous_band
from cnn_ablation.inference.comparison import PairedComparison, compare
from cnn_ablation.inference.crossed import (
    CrossedComparison,
    compare_crossed,
    correctness_differences,
)
from cnn_ablation.inference.decision_power import decidable_effect, units_to_decide
from cnn_ablation.inference.families import bonferroni_level, holm
from cnn_ablation.inference.intervals import Interval, bootstrap_interval, t_interval
from cnn_ablation.inference.pairing import PairedSample, pair
from cnn_ablation.inference.power import detectable_effect, power, units_needed
from cnn_ablation.inference.sequential import SequentialOutcome, judge_sequentially
from cnn_ablation.inference.sequential_power import SequentialProspects, sequential_prospects
from cnn_ablation.inference.sign_flip import (
    SignFlipTest,
    sign_flip_test,
    smallest_p,
    units_to_reach,
)
from cnn_ablation.inference.skewness import sample_skewness, skew_corrected_interval
from cnn_ablation.inference.spending import SPENDING, SequentialDesign, looks_between
from cnn_ablation.inference.statements import (
    StatementPValues,
    adjust_statements,
    statement_p_values,
)

__all__ = [
    "SPENDING",
    "Band",
    "CrossedComparison",
    "Interval",
    "PairedComparison",
    "PairedSample",
    "SequentialDesign",
    "SequentialOutcome",
    "SequentialProspects",
    "SignFlipTest",
    "StatementPValues",
    "adjust_statements",
    "bonferroni_level",
    "bootstrap_interval",
    "compare",
    "compare_crossed",
    "correctness_differences",
    "decidable_effect",
    "detectable_effect",
    "holm",
    "judge_sequentially",
    "looks_between",
    "pair",
    "power",
    "sample_skewness",
    "sequential_prospects",
    "sign_flip_test",
    "simultaneous_band",
    "skew_corrected_interval",
    "smallest_p",
    "statement_p_values",
    "t_interval",
    "units_needed",
    "units_to_decide",
    "units_to_reach",
]
