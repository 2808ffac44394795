"""Does dropout help, where does it, and what does it cost in training?

The study `dropout`, declared in `cnn_ablation/studies/dropout.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import dropout

STUDY = dropout.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, dropout.__doc__)
