"""A study at every point of a map: trained where trials are missing, judged, drawn as one picture.

map.png, map.svg   rows settings, columns contrasts; colour the difference, sign the verdict
map.csv            a row for each contrast of a claim at a point
map.md             verdicts by setting, and where they agree
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from cnn_ablation.claims import Verdict, evaluated_on
from cnn_ablation.commands.conclusion import FAILED_TRIALS
from cnn_ablation.display.text import clock, format_table, wrap
from cnn_ablation.errors import InputError
from cnn_ablation.execution import hosts
from cnn_ablation.execution.dry_run import dry_run
from cnn_ablation.execution.options import StudyOptions
from cnn_ablation.execution.preparing import folder_of
from cnn_ablation.execution.session import trained_session
from cnn_ablation.execution.tuning import tuning_for
from cnn_ablation.report.map_files import write_map
from cnn_ablation.study import Study
from cnn_ablation.study.map import (
    EPOCHS,
    Axes,
    Point,
    agreement,
    at_epoch,
    checked_axes,
    judge_point,
    points,
    read_axes,
    trained_points,
)
from cnn_ablation.study.plan import default_folder
from cnn_ablation.study.results import StudyResults
from cnn_ablation.study.verdicts import judge_results
from cnn_ablation.system.files import unwritable
from cnn_ablation.system.paths import user_path

Found = dict[str, list[Verdict]]


def axes_of(study: Study, options: StudyOptions) -> Axes:
    """The settings that a map is over; none where no map is wanted.

    Raises:
        InputError: a field or a value is not allowed.
    """
    if options.map:
        return read_axes(options.map)
    return checked_axes(study.map_over, f"study {study.name}: map_over")


def finish_map(study: Study, options: StudyOptions, axes: Axes) -> int:
    """Runs what is missing at every point, judges it and writes the map.

    Returns:
        The exit code: 0, or 3 where trials failed.

    Raises:
        InputError: an option is not allowed, or a file in a folder is damaged.
        KeyboardInterrupt: the user stopped it; the message says how to go on.
    """
    if hosts.host_count() > 1:
        raise InputError("--map: must be given to one host alone, without --coordinator")
    declared, every = not options.map, points(axes)
    if declared:
        study = dataclasses.replace(study, level=study.level / len(every))
    study = dataclasses.replace(study, tuning=tuning_for(study, options.tuning))
    trained = trained_points(axes, study, options.training)
    if options.dry_run:
        _foretell(study, options, [point for point, _ in trained])
        return 0
    found: Found = {}
    failed = 0
    for number, (point, read) in enumerate(trained, 1):
        print(f"map      {number} of {len(trained)}: {point.label}", flush=True)
        results = _train(study, _options_at(study, options, point))
        failed += sum(trial.status == "failed" for trial in results.trials)
        for one in read:
            own = at_epoch(results, one.values.get(EPOCHS, results.training.epochs))
            found[one.label] = judge_point(own, declared, len(every))
    found = {point.label: found[point.label] for point in every}
    return _conclude(study, options, axes, found, failed)


def _foretell(study: Study, options: StudyOptions, trained: Sequence[Point]) -> None:
    seconds = 0.0
    for point in trained:
        print(f"map      {point.label}", flush=True)
        seconds += dry_run(study, _options_at(study, options, point)).seconds
    print(f"\nforecast of the map: time {clock(seconds)} for {len(trained)} studies")


def _options_at(study: Study, options: StudyOptions, point: Point) -> StudyOptions:
    """The options of one point; each has the folder that its settings alone would give it."""
    training, data = point.settings(options.training, options.data)
    at = dataclasses.replace(options, training=training, data=data)
    if not options.workdir:
        return at
    folder = Path(options.workdir) / default_folder(study.name, training, data)
    return dataclasses.replace(at, workdir=str(folder))


def _train(study: Study, options: StudyOptions) -> StudyResults:
    with trained_session(study, options) as session:
        results = session.store.results()
        session.store.record_judgement(judge_results(results, intervals=False))
        session.tracking.conclude(results, session.store.folder)
    return results


def _conclude(study: Study, options: StudyOptions, axes: Axes, found: Found, failed: int) -> int:
    folder = _folder(study, options, axes)
    print(f"\n{_table(found)}\n")
    for line in agreement(found):
        print(wrap(line, "* "))
    try:
        with evaluated_on(options.data.evaluated):
            picture = write_map(study, {p.label: p.values for p in points(axes)}, found, folder)
    except OSError as error:
        raise unwritable(folder, error) from None
    if failed:
        print(f"failed: {failed} trials; the same command with --retry_failed runs these again")
    print(f"\nmap      {picture}")
    return FAILED_TRIALS if failed else 0


def _folder(study: Study, options: StudyOptions, axes: Axes) -> Path:
    """Where the map's own files go: beside its points."""
    if options.workdir:
        return user_path("workdir", options.workdir)
    text = json.dumps({name: [str(v) for v in values] for name, values in axes.items()})
    digest = hashlib.sha256(text.encode()).hexdigest()[:6]
    own = folder_of(study, options)
    return own.with_name(f"map-{own.name}-{digest}")


def _table(found: Mapping[str, Sequence[Verdict]]) -> str:
    """A row a setting, a column a claim that statistics judge."""
    shown = [
        (label, [v for v in verdicts if v.claim.kind != "exact" and v.outcome != "not judged"])
        for label, verdicts in found.items()
    ]
    names = list(dict.fromkeys(v.claim.name for _, verdicts in shown for v in verdicts))
    rows = [("setting", *names)]
    for label, verdicts in shown:
        outcomes = {v.claim.name: ", ".join((v.outcome, *v.riders)) for v in verdicts}
        rows.append((label, *(outcomes.get(name, "–") for name in names)))
    return format_table(rows)
