"""What all hosts but host 0 do in a study."""

from cnn_ablation.execution.executors.several_hosts import follow_tasks
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.preparing import job_of, prepare, settled
from cnn_ablation.study import Study


def follow_study(study: Study, options: StudyOptions) -> int:
    """Trains this host's part of the trials that host 0 finds missing, and writes nothing.

    Returns:
        The exit code, 0.

    Raises:
        InputError: an option is not allowed, or is not what host 0 was given.
    """
    options = settled(options)
    declared, dataset = prepare(study, options)
    follow_tasks(job_of(declared, options), dataset)
    return 0
