"""Trains one CNN design for one seed or several, and writes its figures as JSON.

    python -m cnn_ablation.main --stride=2
    python -m cnn_ablation.main --kernel_size=7,9 --seed=100 --num_seeds=5 --workdir=runs/k79

Block options take one value for all blocks or one per block: --padding=same,valid.
A run that was stopped goes on with the same command and --workdir.
"""

from typing import NoReturn

from cnn_ablation.display.status import doing


def run() -> NoReturn:
    """Trains what the command line describes, and exits."""
    # Imported late: a terminal shows a first line before NumPy and its like are loaded.
    with doing("loading"):
        from cnn_ablation.commands import train
    train.run(__doc__ or "")


if __name__ == "__main__":
    run()
