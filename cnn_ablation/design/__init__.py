"""What is trained, as frozen, validated, hashable specs; no JAX. Every default is declared here.

`network`, `training` and `data` are the three parts of a `trial`; `summary` is the layer table that
follows from a network, and `words` what people read.
"""

from cnn_ablation.design.data import DataSpec
from cnn_ablation.design.network import BLOCK_FIELDS, Block, NetworkSpec
from cnn_ablation.design.training import MAX_SEED, TrainingSpec
from cnn_ablation.design.trial import TrialSpec, part_of, require_seed

__all__ = [
    "BLOCK_FIELDS",
    "MAX_SEED",
    "Block",
    "DataSpec",
    "NetworkSpec",
    "TrainingSpec",
    "TrialSpec",
    "part_of",
    "require_seed",
]
