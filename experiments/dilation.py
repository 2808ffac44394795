"""Does a dilated kernel do as well as a larger one?

The study `dilation`, declared in `cnn_ablation/studies/dilation.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import dilation

STUDY = dilation.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, dilation.__doc__)
