"""What should pooling take of a window, and is a stride as good?

The study `pooling_kind`, declared in `cnn_ablation/studies/pooling_kind.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import pooling_kind

STUDY = pooling_kind.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, pooling_kind.__doc__)
