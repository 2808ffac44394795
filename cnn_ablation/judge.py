"""Judges claims on anybody's tables: `python -m cnn_ablation.judge TABLE --claims=FILE`."""

from cnn_ablation.commands.judge import run

if __name__ == "__main__":
    run()
