"""Specs under the name at which study files written for version 0.1 import them."""

from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec

__all__ = ["DataSpec", "NetworkSpec", "TrainingSpec", "TrialSpec"]
