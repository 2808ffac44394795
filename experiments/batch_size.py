"""Do large batches generalize worse, and do they train faster?

The study `batch_size`, declared in `cnn_ablation/studies/batch_size.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import batch_size

STUDY = batch_size.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, batch_size.__doc__)
