"""Does a falling learning rate help, and a warm-up before a high one?

The study `schedule`, declared in `cnn_ablation/studies/schedule.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import schedule

STUDY = schedule.STUDY

if __name__ == "__main__":
    study_command.run(STUDY, schedule.__doc__)
