"""Fixtures that skip tests of the native kernels where these cannot be had."""

import pytest

from cnn_ablation.network.lowerings.native.calls import unavailable


@pytest.fixture(scope="session")
def native(private_folders: object) -> None:
    """The native kernels are compiled and loaded, into this session's cache."""
    reason = unavailable()
    if reason is not None:
        pytest.skip(f"no native kernels: {reason}")


@pytest.fixture
def lowering(request: pytest.FixtureRequest) -> str:
    """The lowering of the block that the test was parametrized with."""
    name: str = request.param
    if name == "native":
        request.getfixturevalue("native")
    return name
