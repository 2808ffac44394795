"""What claims can be about: figures of trials, times of the timing pass, facts of a design."""

TRIAL_METRICS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
TIME_METRICS = ("train_seconds", "eval_seconds")
FACTS = ("params", "macs")
KINDS = {
    **dict.fromkeys(TRIAL_METRICS, "paired"),
    **dict.fromkeys(TIME_METRICS, "timing"),
    **dict.fromkeys(FACTS, "exact"),
}
METRICS = tuple(KINDS)
