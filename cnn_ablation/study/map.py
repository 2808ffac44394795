"""A map: one study at many settings, and where its conclusions hold and where they turn.

Every combination of the settings is a point. Most points are studies of their own, each in a folder
of its own. Where the learning rate is constant a training of few epochs is the beginning of one of
many, so that points which differ in epochs alone are read from the longest of them.
"""

import dataclasses
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cnn_ablation.claims import Verdict
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, part_of
from cnn_ablation.design.trial import PARTS
from cnn_ablation.errors import FieldError, InputError
from cnn_ablation.optimizers.schedules import CONSTANT
from cnn_ablation.study.declaration import Study
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import judge_results
from cnn_ablation.training.records import TrialRecord

EPOCHS = "epochs"
Axes = Mapping[str, tuple[Any, ...]]


@dataclasses.dataclass(frozen=True)
class Point:
    """One combination of settings.

    Attributes:
        values: by field, in the order of the axes.
        label: the same for people: `learning_rate=0.1 epochs=5`.
    """

    values: Mapping[str, Any]
    label: str

    def settings(self, training: TrainingSpec, data: DataSpec) -> tuple[TrainingSpec, DataSpec]:
        """Training and data at this point.

        Raises:
            InputError: a value does not fit the others.
        """
        own: dict[str, dict[str, Any]] = {"training": {}, "data": {}}
        for name, value in self.values.items():
            own[part_of(name)][name] = value
        try:
            return training.replace(**own["training"]), data.replace(**own["data"])
        except FieldError as error:
            raise InputError(f"map: {self.label}: {error}") from None


def read_axes(text: str) -> Axes:
    """Axes from text: `learning_rate:0.1,1 x epochs:1,2,5`.

    Raises:
        InputError: it is of another form, or a field or a value is not allowed.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for part in re.split(r"\s+x\s+", text.strip()):
        name, colon, values = part.partition(":")
        if not colon or not values.strip():
            raise InputError(
                f"--map={text}: must be FIELD:VALUE,VALUE, several joined by ' x ', as in "
                "'learning_rate:0.1,1 x epochs:1,2'"
            )
        its = _option(name.strip(), text)
        try:
            found[name.strip()] = tuple(map(its.read, values.split(",")))
        except ValueError as error:
            raise InputError(f"--map={text}: {name.strip()} {error}") from None
    return checked_axes(found, f"--map={text}")


def checked_axes(axes: Mapping[str, Sequence[Any]], where: str) -> Axes:
    """The same axes with their values in the form in which specs keep them.

    Args:
        axes: values by field.
        where: what a message begins with.

    Raises:
        InputError: a field or a value is not allowed, or a value stands there twice.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for name, values in axes.items():
        its = _option(name, where)
        try:
            found[name] = tuple(its.checked(name, value) for value in values)
        except FieldError as error:
            raise InputError(f"{where}: {error}") from None
        if not values or len(set(found[name])) < len(values):
            raise InputError(f"{where}: {name}: must have values, each once")
    return found


def points(axes: Axes) -> list[Point]:
    """Every combination of the axes' values."""
    return [
        Point(values, " ".join(f"{n}={_option(n, n).typed(v)}" for n, v in values.items()))
        for combination in itertools.product(*axes.values())
        for values in [dict(zip(axes, combination, strict=True))]
    ]


def trained_points(
    axes: Axes, study: Study, training: TrainingSpec
) -> list[tuple[Point, list[Point]]]:
    """The points that are trained, each with those that are read from it.

    Args:
        axes: the settings.
        study: what is repeated at each point.
        training: the procedure of all points, but for what they set themselves.
    """
    if EPOCHS not in axes or not _begins_alike(axes, study, training):
        return [(point, [point]) for point in points(axes)]
    longest = max(axes[EPOCHS])
    others = {name: values for name, values in axes.items() if name != EPOCHS}
    return [
        (whole, [p for p in points(axes) if {**p.values, EPOCHS: longest} == whole.values])
        for whole in points({**others, EPOCHS: (longest,)})
    ]


def at_epoch(results: StudyResults, epochs: int) -> StudyResults:
    """What a study would have found if it had been trained for fewer epochs.

    That is so where the learning rate does not depend on their number. Which images were right is
    kept after the last epoch alone, so claims about earlier ones speak for these images.
    """
    plan = results.plan
    if epochs == plan.training.epochs:
        return results
    shorter = dataclasses.replace(plan, training=plan.training.replace(epochs=epochs))
    trials = [_until(trial, epochs) for trial in results.trials]
    timings = [
        dataclasses.replace(timing, spec=timing.spec.replace(epochs=epochs))
        for timing in results.timings
    ]
    return StudyResults(shorter, tuple(trials), tuple(timings), results.ledger)


def judge_point(results: StudyResults, declared: bool, of: int) -> list[Verdict]:
    """The verdicts at one point; what was not declared before the first trial says so.

    Args:
        results: what was found there.
        declared: whether the study declares this map.
        of: how many points the map has.
    """
    verdicts = judge_results(results)
    if declared or of == 1:
        return verdicts
    reason = f"one of {of} settings that were looked at, each at the full level"
    return [dataclasses.replace(v, exploratory=(*v.exploratory, reason)) for v in verdicts]


def agreement(verdicts: Mapping[str, Sequence[Verdict]]) -> list[str]:
    """Of each claim that statistics judge, in words, at which points which verdict was given."""
    lines = []
    for own in zip(*verdicts.values(), strict=True):
        if own[0].claim.kind == "exact":
            continue
        found: dict[str, list[str]] = {}
        for label, verdict in zip(verdicts, own, strict=True):
            found.setdefault(verdict.outcome, []).append(label)
        if len(found) == 1:
            lines.append(f"{own[0].claim.name}: {own[0].outcome} at every setting")
        else:
            parts = [f"{outcome} at {', '.join(labels)}" for outcome, labels in found.items()]
            lines.append(f"{own[0].claim.name}: {'; '.join(parts)}")
    return lines


def _until(trial: TrialRecord, epochs: int) -> TrialRecord:
    whole = len(trial.epochs) >= epochs
    return dataclasses.replace(
        trial,
        spec=trial.spec.replace(epochs=epochs),
        epochs=trial.epochs[:epochs],
        status="completed" if whole else trial.status,
        error=None if whole else trial.error,
        test_correct=None,
    )


def _begins_alike(axes: Axes, study: Study, training: TrainingSpec) -> bool:
    """Whether fewer epochs are the beginning of more, for every design at every point."""
    names = {name for variant in study.variants for name in variant.training}
    names |= axes.keys()
    if study.tuning is not None:
        # What is chosen for many epochs need not be what is best for few.
        return False
    constant = training.schedule.name == CONSTANT and training.warmup == 0.0
    varied = {name for v in study.variants for name in v.training if name == EPOCHS}
    return constant and not varied and not names & {"schedule", "warmup"}


def _option(name: str, where: str) -> Any:
    every = {**PARTS["training"].every_option(), **PARTS["data"].every_option()}
    if name in every:
        return every[name]
    if name in NetworkSpec.every_option():
        raise InputError(f"{where}: {name} is of the network, which a study's variants set")
    raise InputError(f"{where}: there is no field {name} of training or data")
