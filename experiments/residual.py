"""Does a deep network train worse without residual connections, and with them not?

The study `residual`, declared in `cnn_ablation/studies/residual.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import residual

STUDY = residual.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, residual.__doc__)
