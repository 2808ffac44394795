"""Anybody's tables of results, read as what claims are judged on. No JAX."""

from cnn_ablation.ingest.judging import judge_tables
from cnn_ablation.ingest.reading import Rows, read_rows

__all__ = ["Rows", "judge_tables", "read_rows"]
