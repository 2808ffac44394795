"""How much do more images help, and how much do wrong labels harm?

The study `amount_of_data`, declared in `cnn_ablation/studies/amount_of_data.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import amount_of_data

STUDY = amount_of_data.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, amount_of_data.__doc__)
