"""How files of models are called. No JAX."""

from pathlib import Path

ENDING = ".safetensors"
# All of a run's.
MODELS = f"model-seed*{ENDING}"


def model_path(folder: Path, seed: int) -> Path:
    """Where a run keeps the model of a seed."""
    return folder / f"model-seed{seed}{ENDING}"
