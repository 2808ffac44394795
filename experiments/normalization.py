"""Does normalization help, and which kind does in large and in small batches?

The study `normalization`, declared in `cnn_ablation/studies/normalization.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import normalization

STUDY = normalization.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, normalization.__doc__)
