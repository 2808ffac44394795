"""Which optimizer trains best, each at its usual rate?

The study `optimizer`, declared in `cnn_ablation/studies/optimizer.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import optimizer

STUDY = optimizer.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, optimizer.__doc__)
