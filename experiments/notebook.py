"""The whole notebook: its four questions, each of its designs trained once, as published.

The study `notebook`, declared in `cnn_ablation/studies/notebook.py`.
"""

from cnn_ablation import study_command
from cnn_ablation.studies import notebook

STUDY = notebook.STUDY

if __name__ == "__main__":
    study_command.run(
        STUDY, notebook.__doc__, training=notebook.TRAINING, controls=notebook.CONTROLS
    )
