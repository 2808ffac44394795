"""Does it matter how kernels are drawn?

The study `initialization`, declared in `cnn_ablation/studies/initialization.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import initialization

STUDY = initialization.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, initialization.__doc__)
