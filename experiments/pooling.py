"""What does max-pooling do? None, or windows of 2, 3 and 4 pixels after each convolution.

The study `pooling`, declared in `cnn_ablation/studies/pooling.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import pooling
from cnn_ablation.studies.pooling import QUESTION, STUDY

__all__ = ["QUESTION", "STUDY"]

if __name__ == "__main__":
    study_command.run(STUDY, pooling.__doc__)
