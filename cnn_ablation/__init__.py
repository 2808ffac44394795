"""What do a CNN's design choices really do? One trial, or a study of many, in JAX and Flax.

    import cnn_ablation as cnn

    spec = cnn.TrialSpec(network=cnn.NetworkSpec(stride=2))
    dataset = cnn.load_dataset("mnist")
    for trial in cnn.fit(spec, dataset, seeds=range(100, 105)):
        print(trial.record.seed, trial.record.epochs[-1].test_accuracy)

Names are listed in `__init__.pyi` and imported when first used, so that what needs no JAX does not
wait for it.
"""

from typing import NoReturn

# First of all: what comes before it cannot be stopped in one line.
from cnn_ablation.system import stopping  # isort: split

stopping.listen_in_commands()

from cnn_ablation.version import __version__  # noqa: E402

try:
    import lazy_loader
except ModuleNotFoundError:
    # So that `cnn-ablation doctor` can say what else is missing.
    def __getattr__(name: str) -> NoReturn:
        raise ImportError("cnn_ablation needs the package lazy_loader: pip install lazy_loader")

    __all__: list[str] = []
else:
    __getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = [*__all__, "__version__"]
