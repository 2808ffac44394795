"""The command that every study is: what is missing is trained, timed, judged and told.

from cnn_ablation import study_command
study_command.run(STUDY, __doc__)
"""

from cnn_ablation.commands.study import run_study as run

__all__ = ["run"]
