"""How much does the learning rate matter?

The study `learning_rate`, declared in `cnn_ablation/studies/learning_rate.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import learning_rate

STUDY = learning_rate.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, learning_rate.__doc__)
