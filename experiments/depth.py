"""Is a deeper network more accurate?

The study `depth`, declared in `cnn_ablation/studies/depth.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import depth

STUDY = depth.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, depth.__doc__)
