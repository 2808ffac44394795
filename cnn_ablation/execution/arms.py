"""The arms of a study as its options ask for them."""

from cnn_ablation.errors import InputError
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.study import Study, add_arms
from cnn_ablation.study.arms import ARMS
from cnn_ablation.study.controls import PARAMS


def with_arms(study: Study, options: StudyOptions) -> Study:
    """The study with the arms that its options name, or with those that are usual.

    Raises:
        InputError: an arm that was named cannot be had.
    """
    names = arms_of(options)
    held = [name for name in options.arms or () if ARMS[name].held is not None]
    if held and all(question.reference is None for question in study.questions):
        raise InputError(
            f"--arms={','.join(names)}: {held[0]} needs a question that names a reference; none of "
            f"study {study.name} does"
        )
    return add_arms(study, names, interactions=options.interactions)


def arms_of(options: StudyOptions) -> tuple[str, ...]:
    """The names of the arms."""
    if options.arms is not None:
        return tuple(dict.fromkeys(options.arms))
    return (PARAMS,) if options.controls else ()
