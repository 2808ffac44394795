"""What all tests share: no user's folder is touched, and MNIST is prepared once."""

import os
from pathlib import Path
from typing import Any

import pytest
import tally
from hypothesis import settings

from cnn_ablation.data import Dataset, load_dataset

# The same examples in every run: who changes nothing sees nothing fail. A search for new ones is
# `pytest --hypothesis-profile=search`.
settings.register_profile("same", derandomize=True, deadline=None, database=None)
settings.register_profile("search", deadline=None)
settings.load_profile("same")


@pytest.fixture(scope="session", autouse=True)
def private_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Caches and datasets of this session, also of the processes that it starts."""
    # With pytest-xdist each worker has a base folder of its own below a common one.
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if worker else base) / "shared"
    for variable, name in (("CNN_ABLATION_CACHE_DIR", "cache"), ("TFDS_DATA_DIR", "datasets")):
        (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        os.environ[variable] = str(folder / name)
    return folder


@pytest.fixture(scope="session")
def mnist(private_folders: Path) -> Dataset:
    """The real MNIST, from the archives in the package."""
    return load_dataset("mnist", data_dir=str(private_folders / "datasets"))


@pytest.fixture(scope="session")
def small_mnist(mnist: Dataset, private_folders: Path) -> Dataset:
    """The first 10 % of MNIST: 6,000 images to train on and 1,000 to test on."""
    return load_dataset(
        "mnist",
        train_split="train[:10%]",
        test_split="test[:10%]",
        data_dir=str(private_folders / "datasets"),
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves long searches out, unless `-m` speaks of them."""
    if "search" not in config.getoption("-m"):
        left_out = [item for item in items if item.get_closest_marker("search")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Prints what searches have tried, after `-m search`."""
    if "search" in config.getoption("-m") and tally.table():
        terminalreporter.section("what was tried")
        terminalreporter.write("\n".join(tally.table()) + "\n")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hands what a worker of pytest-xdist has counted to the session that prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["tally"] = tally.rows()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes what a worker has counted."""
    tally.add(getattr(node, "workeroutput", {}).get("tally", ()))
