"""How a study is tuned, from its declaration and its options."""

import dataclasses
from typing import Any

from cnn_ablation.errors import FieldError, InputError
from cnn_ablation.options import TEXT, option, validate
from cnn_ablation.study import Study
from cnn_ablation.study.tuning import OPTIONS, Tuning, tunable


def _of_tuning(name: str, **bounds: Any) -> Any:
    """An option of a tuning as an option of a run: None leaves it as it is."""
    its = OPTIONS[name]
    help_text = f"{its.help} (default: as the study declares, else {_usual(name)})"
    return option(None, help_text, kind=its.kind, choices=its.choices, optional=True, **bounds)


def _usual(name: str) -> Any:
    return next(field.default for field in dataclasses.fields(Tuning) if field.name == name)


@dataclasses.dataclass(frozen=True)
class TuneOptions:
    """What a run says of tuning.

    Raises:
        FieldError: a value is not allowed.
    """

    tune: str | None = option(
        None,
        "add a tuned arm: a field of the training and the values that are tried of it for every "
        "variant, as in learning_rate:0.1,0.3,1,3 (default: as the study's file declares)",
        kind=TEXT,
        optional=True,
    )
    tune_seeds: int | None = _of_tuning("seeds", least=1)
    tune_once: bool | None = _of_tuning("once")
    tune_validation: float | None = _of_tuning("validation", above=0, below=1)
    tune_by: str | None = _of_tuning("by")
    tune_extensions: int | None = _of_tuning("extensions", least=0)

    def __post_init__(self) -> None:
        validate(self)


def tuning_for(study: Study, options: TuneOptions) -> Tuning | None:
    """How a study's variants are tuned; None where nothing says so.

    What options say goes before what the study declares.

    Raises:
        InputError: the field or a value is not allowed, or options say how to tune, but not what.
    """
    names = [name for name in OPTIONS if getattr(options, f"tune_{name}") is not None]
    given = {name: getattr(options, f"tune_{name}") for name in names}
    if options.tune is not None:
        field, values = _read(options.tune)
        return Tuning(field, values, **given)
    if study.tuning is not None:
        return dataclasses.replace(study.tuning, **given)
    if given:
        raise InputError(
            f"--tune_{names[0]}={given[names[0]]}: means nothing without --tune=FIELD:VALUES"
        )
    return None


def _read(text: str) -> tuple[str, tuple[Any, ...]]:
    """The field and values of `learning_rate:0.1,1`."""
    name, colon, values = text.partition(":")
    if not colon:
        raise InputError(f"--tune={text}: must be FIELD:VALUE,VALUE as in learning_rate:0.1,0.3,1")
    try:
        its = tunable(name.strip())
    except FieldError as error:
        raise InputError(f"--tune={text}: the field {error.allowed}") from None
    try:
        return name.strip(), tuple(its.checked(name, its.read(one)) for one in values.split(","))
    except FieldError as error:
        raise InputError(f"--tune={text}: {error}") from None
    except ValueError as error:
        raise InputError(f"--tune={text}: a value of {name} {error}") from None
