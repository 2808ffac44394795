"""Which changes of the training images help, and does a wrong one harm?

The study `augmentation`, declared in `cnn_ablation/studies/augmentation.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import augmentation

STUDY = augmentation.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, augmentation.__doc__)
