"""How parameters are updated: optimizers, and schedules of the learning rate.

An entry owns its options, its defaults, how it is built and how a report names it.
Optax is imported where an optimizer is built: a spec does not wait for it.
"""

from cnn_ablation.optimizers.algorithms import OPTIMIZERS, Optimizer, register_optimizer
from cnn_ablation.optimizers.schedules import SCHEDULES, Schedule, register_schedule

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "Optimizer",
    "Schedule",
    "register_optimizer",
    "register_schedule",
]
