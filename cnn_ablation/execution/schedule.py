"""The seeds of a study and, where it is sequential, its looks: from declaration and options."""

from collections.abc import Sequence

from cnn_ablation.errors import InputError, as_typed
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.inference import SequentialDesign, looks_between
from cnn_ablation.study import Study


def schedule_for(study: Study, options: StudyOptions) -> SequentialDesign | None:
    """The looks of a sequential study; None for one of fixed size.

    What options say goes before what the study declares.

    Raises:
        InputError: looks do not rise, or there are more seeds at first than at most.
    """
    if options.until_decided is False:
        return None
    if options.looks:
        return _design("looks", options.looks, options.spending)
    if options.until_decided:
        first, most = len(options.seeds), options.max_seeds
        if most < first:
            raise InputError(f"--max_seeds={most}: must be the {first} of --num_seeds or more")
        return _design("max_seeds", looks_between(first, most), options.spending)
    if study.looks:
        return SequentialDesign(study.looks, spending=study.spending)
    return None


def seeds_of(options: StudyOptions, schedule: SequentialDesign | None) -> Sequence[int]:
    """Every seed that a study may come to train, in order."""
    if schedule is None:
        return options.seeds
    first = options.seeds[0] if len(options.seeds) else 0
    return range(first, first + schedule.most_units)


def _design(flag: str, looks: tuple[int, ...], spending: str) -> SequentialDesign:
    try:
        return SequentialDesign(looks, spending=spending)
    except InputError:
        raise InputError(f"--{flag}={as_typed(looks)}: must be rising numbers of seeds") from None
