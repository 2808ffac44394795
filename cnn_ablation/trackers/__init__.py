"""Where a run's figures can also be followed while it trains: TensorBoard and MLflow.

A run's own files stay what counts; trackers hear of what has been recorded. Neither library is
imported, nor need it be there, unless it is asked for.
"""

import contextlib
import os
from collections.abc import Iterator

from cnn_ablation.errors import InputError
from cnn_ablation.trackers.interface import Run, TrackedTrial, Tracker
from cnn_ablation.trackers.options import TrackerOptions
from cnn_ablation.trackers.tracking import Tracking

__all__ = ["Run", "TrackedTrial", "Tracker", "TrackerOptions", "Tracking", "make_tracking"]

# Set before MLflow is imported, where the user has set nothing else: who logs to a file need not be
# counted, and a server that is gone must not hold up a training for minutes.
_MLFLOW_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


def make_tracking(options: TrackerOptions) -> Tracking:
    """Makes the trackers that the options ask for; none is started yet.

    Raises:
        InputError: a tracker's package is not installed, or MLflow's store cannot be opened; the
            message names the flag.
    """
    trackers: list[Tracker] = []
    if options.tensorboard:
        with _needing("--tensorboard", "tensorboard"):
            from cnn_ablation.trackers.tensorboard import TensorBoardTracker

            trackers.append(TensorBoardTracker())
    if options.mlflow:
        for name, value in _MLFLOW_SETTINGS.items():
            os.environ.setdefault(name, value)
        with _needing(f"--mlflow={options.mlflow}", "mlflow"):
            from cnn_ablation.trackers.mlflow import MLflowTracker

            trackers.append(MLflowTracker(options.mlflow))
    return Tracking(trackers)


@contextlib.contextmanager
def _needing(flag: str, extra: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise InputError(
            f"{flag}: needs packages that are not here ({error}); pip install "
            f"'cnn_ablation[{extra}]'"
        ) from None
