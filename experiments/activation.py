"""Does ReLU beat what came before it, and do smoother functions beat ReLU?

The study `activation`, declared in `cnn_ablation/studies/activation.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import activation

STUDY = activation.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, activation.__doc__)
