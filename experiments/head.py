"""Does global pooling do as well as fully connected layers?

The study `head`, declared in `cnn_ablation/studies/head.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import head

STUDY = head.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, head.__doc__)
