"""Rebuilds a study's report from its trials: `python -m cnn_ablation.report WORKDIR`."""

from cnn_ablation.commands.report import run

if __name__ == "__main__":
    run()
