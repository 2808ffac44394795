"""What does the stride of the convolutions do? Steps of 1 to 5 pixels.

The study `stride`, declared in `cnn_ablation/studies/stride.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import stride
from cnn_ablation.studies.stride import QUESTION, STUDY

__all__ = ["QUESTION", "STUDY"]

if __name__ == "__main__":
    study_command.run(STUDY, stride.__doc__)
