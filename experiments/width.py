"""Is a wider network more accurate?

The study `width`, declared in `cnn_ablation/studies/width.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import width

STUDY = width.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, width.__doc__)
