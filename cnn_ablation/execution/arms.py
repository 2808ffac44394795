"""The arms of a study as its options ask for them."""

from cnn_ablation.errors import InputError
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.tuning import tuning_for
from cnn_ablation.study import Study, Tuning, add_arms
from cnn_ablation.study.arms import ARMS, TUNED
from cnn_ablation.study.controls import PARAMS


def with_arms(study: Study, options: StudyOptions) -> tuple[Study, Tuning | None]:
    """The study with the arms that its options name, or with those that are usual.

    Returns:
        The study, and how its tuned arms are tuned, where it has any.

    Raises:
        InputError: an arm that was named cannot be had, or one that is wanted is left out.
    """
    tuning = tuning_for(study, options.tuning)
    names = arms_of(options, tuning)
    tuned = [name for name in names if ARMS[name].is_tuned]
    asked = f"--arms={','.join(names) or 'none'}"
    if options.tuning.tune is not None and not tuned:
        raise InputError(f"{asked}: must have a tuned arm beside --tune={options.tuning.tune}")
    if tuned and tuning is None:
        raise InputError(f"{asked}: {tuned[0]} needs --tune=FIELD:VALUES, for nothing says how")
    held = [name for name in options.arms or () if ARMS[name].held is not None]
    if held and all(question.reference is None for question in study.questions):
        raise InputError(
            f"{asked}: {held[0]} needs a question that names a reference; none of study "
            f"{study.name} does"
        )
    whole = add_arms(study, names, interactions=options.interactions)
    return whole, tuning if tuned else None


def arms_of(options: StudyOptions, tuning: Tuning | None = None) -> tuple[str, ...]:
    """The names of the arms."""
    if options.arms is not None:
        return tuple(dict.fromkeys(options.arms))
    return (*((PARAMS,) if options.controls else ()), *((TUNED,) if tuning else ()))
