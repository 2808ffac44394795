"""What tuning takes, and what it has chosen, in words."""

from cnn_ablation.claims.words import plural
from cnn_ablation.errors import as_typed
from cnn_ablation.study.attempts import Tuned, TuningResults
from cnn_ablation.study.results import StudyResults


def tuning_plan(results: StudyResults) -> list[str]:
    """What is tuned and how many trials that takes; nothing where nothing is."""
    tuning = results.tuning
    if tuning is None:
        return []
    designs = len(tuning.designs) // len(tuning.grid)
    seeds = tuning.tuning.trial_seeds(tuning.seeds)
    done = sum(trial.finished for trial in tuning.trials)
    return [
        f"{tuning.tuning}; {plural(designs, 'design')} x {len(tuning.grid)} values x "
        f"{plural(len(seeds), 'seed')} = {len(tuning.needed)} trials, of which {done} are there; "
        f"then {plural(designs, 'tuned design')} with the seeds of the study"
    ]


def tuning_line(results: StudyResults) -> str:
    """What was chosen, or what goes on."""
    tuning = results.tuning
    assert tuning is not None
    if any(tuned.is_open for tuned in tuning.variants):
        grid = ", ".join(map(as_typed, tuning.grid))
        if any(trial.status == "failed" for trial in tuning.trials):
            return "trials failed: what they belong to cannot be tuned; --retry_failed runs them"
        return f"a best value lies at the edge: the grid is now {grid}"
    return chosen_words(tuning)


def chosen_words(tuning: TuningResults) -> str:
    """Every variant's value, the grid where it was extended, and the budget."""
    field = tuning.tuning.field
    chosen = [f"{tuned.label}: {_value(tuned)}" for tuned in tuning.variants]
    grid = ", ".join(map(as_typed, tuning.grid))
    added = ", ".join(map(as_typed, tuning.extensions))
    extended = f" (extended by {added})" if added else ""
    return (
        f"{field} chosen of {grid}{extended} in {plural(len(tuning.trials), 'trial')}: "
        f"{'; '.join(chosen)}"
    )


def _value(tuned: Tuned) -> str:
    if tuned.is_open:
        return "open"
    if all(attempt.score is None for attempt in tuned.attempts):
        return f"{chosen_values(tuned)}, as given, for no value was trained to its end"
    edge = {-1: ", the lowest tried", 1: ", the highest tried", 0: ""}[tuned.edge]
    return f"{chosen_values(tuned)}{edge}"


def chosen_values(tuned: Tuned) -> str:
    """The values that were chosen: `0.3`, or where seeds differ `0.3 (7 seeds), 1.0 (3 seeds)`."""
    if len(tuned.chosen) == 1:
        return as_typed(next(iter(tuned.chosen)))
    counts = tuned.chosen.items()
    return ", ".join(f"{as_typed(value)} ({plural(count, 'seed')})" for value, count in counts)
