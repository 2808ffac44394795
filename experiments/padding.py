"""What does zero padding do? Same in both convolutions, in the first, or in neither.

The study `padding`, declared in `cnn_ablation/studies/padding.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import padding
from cnn_ablation.studies.padding import QUESTION, STUDY

__all__ = ["QUESTION", "STUDY"]

if __name__ == "__main__":
    study_command.run(STUDY, padding.__doc__)
