"""Does label smoothing help?

The study `label_smoothing`, declared in `cnn_ablation/studies/label_smoothing.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import label_smoothing

STUDY = label_smoothing.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, label_smoothing.__doc__)
