"""Claims written before the run, and the verdicts that trials give on them.

A claim says that in each of its contrasts one variant beats another by at least a margin;
`prospects_of` says, before anything runs, whether so many seeds can decide it; `judge` turns a
table of numbers into verdicts; `check` names the ones that did not come out as expected. No JAX, no
files: any table ``metric -> variant -> {seed or round: value}`` will do.
"""

from cnn_ablation.claims.claim import Claim, Contrast, Setting, chain
from cnn_ablation.claims.judge import check, judge
from cnn_ablation.claims.paired import decide
from cnn_ablation.claims.prospects import FamilyProspects, prospects_of
from cnn_ablation.claims.sequential import Schedule
from cnn_ablation.claims.sequential_prospects import (
    SequentialFamilyProspects,
    sequential_prospects_of,
)
from cnn_ablation.claims.units import Unit, evaluated_on, unit_of
from cnn_ablation.claims.verdict import ContrastVerdict, Outcome, Stop, Verdict

__all__ = [
    "Claim",
    "Contrast",
    "ContrastVerdict",
    "FamilyProspects",
    "Outcome",
    "Schedule",
    "SequentialFamilyProspects",
    "Setting",
    "Stop",
    "Unit",
    "Verdict",
    "chain",
    "check",
    "decide",
    "evaluated_on",
    "judge",
    "prospects_of",
    "sequential_prospects_of",
    "unit_of",
]
