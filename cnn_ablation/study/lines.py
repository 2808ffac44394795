"""What lines of a study's journals must hold to be believed."""

from collections.abc import Callable, Mapping
from typing import Any

from cnn_ablation.design import NetworkSpec, TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.results import Timing
from cnn_ablation.training.records import TrialRecord

# All keys of lines from before there were checksums.
OLDER_TRIAL = (
    *("trial_id", "variant", "seed", "status", "error"),
    *("device", "git_revision", "epochs", "spec"),
)
OLDER_ROUND = ("round", "machine", "times")


def trial_check(plan: Plan) -> Callable[[Mapping[str, Any]], None]:
    """What finds out whether a line of `trials.jsonl` is what it says it is.

    A line of a trial that the plan declares must be of that trial. Of another one, its id must be
    that of its spec as far as this can be known: a spec may hold what a newer version or a user's
    own extension gives a meaning to. Such a line is kept and not used.
    """
    declared = {plan.trial_id(spec, seed): (spec, seed) for spec, seed in plan.trials()}

    def check(line: Mapping[str, Any]) -> None:
        _require(line, "trial_id", "seed", "status", "epochs", "error")
        trial_id = line["trial_id"]
        if not isinstance(trial_id, str):
            raise InputError(f"trial_id {trial_id!r}: must be a text")
        if not isinstance(line.get("hardware") or {}, dict):
            raise InputError("its hardware must be a JSON object")
        expected = declared.get(trial_id)
        try:
            spec = TrialSpec.from_json(line.get("spec"))
        except InputError as error:
            if expected is not None:
                raise InputError(f"its spec cannot be read: {error}") from None
            return
        TrialRecord.from_json(line, spec)
        version = line.get("dataset_version", _version(plan, spec))
        same = expected is None or expected == (spec, line["seed"])
        if not same or (version and spec.trial_id(line["seed"], version) != trial_id):
            raise InputError(f"its trial_id {trial_id} is not that of its spec and seed")

    return check


def check_round(line: Mapping[str, Any]) -> None:
    """Finds out whether a line of `timings.jsonl` holds times of designs on a machine.

    Raises:
        InputError: it does not.
    """
    _require(line, "machine", "times")
    if not isinstance(line["machine"], dict):
        raise InputError("its machine must be a JSON object")
    times = line["times"]
    if not isinstance(times, list) or not times:
        raise InputError("its times must be several")
    for time in times:
        if not isinstance(time, dict) or not ("spec" in time or "network" in time):
            raise InputError("a time must be a JSON object with a spec")
        Timing.require_seconds(time)


def timed_spec(plan: Plan, time: Mapping[str, Any]) -> TrialSpec | None:
    """The design of one time, None where its spec cannot be read.

    Lines from before designs could differ in training name a network alone.
    """
    try:
        if "spec" in time:
            return TrialSpec.from_json(time["spec"])
        return TrialSpec(NetworkSpec.from_json(time["network"]), plan.training, plan.data)
    except InputError:
        return None


def _require(line: Mapping[str, Any], *keys: str) -> None:
    missing = [key for key in keys if key not in line]
    if missing:
        raise InputError(f"it lacks {', '.join(missing)}")


def _version(plan: Plan, spec: TrialSpec) -> str | None:
    """The version of a design's dataset as far as the plan knows it."""
    if spec.data == plan.data or spec.data in plan.other_datasets:
        return plan.dataset_of(spec.data).version
    return None
