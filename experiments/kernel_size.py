"""What does the size of the kernels do? The notebook's six pairs, from 3,3 to 9,9.

The study `kernel_size`, declared in `cnn_ablation/studies/kernel_size.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import kernel_size
from cnn_ablation.studies.kernel_size import QUESTION, STUDY

__all__ = ["QUESTION", "STUDY"]

if __name__ == "__main__":
    study_command.run(STUDY, kernel_size.__doc__)
