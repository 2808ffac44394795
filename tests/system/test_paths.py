"""Paths that no system can open, and homes in the root of the file system."""

import pytest

from cnn_ablation.errors import InputError
from cnn_ablation.system.paths import require_home, user_path


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("~nosuchuser/x", "--workdir=~nosuchuser/x: ~nosuchuser is no user's home here"),
        ("/tmp/" + "ä" * 200, "a name in it is too long; allowed are 255 bytes"),
        ("a\0b", r"--workdir=a\x00b: no path can hold a null character"),
    ],
)
def test_a_path_that_cannot_be_is_named(given: str, says: str) -> None:
    with pytest.raises(InputError) as refused:
        user_path("workdir", given)
    assert says in str(refused.value)


@pytest.mark.parametrize("home", ["", "/", "//", " "])
def test_nothing_goes_into_the_root(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", home)
    require_home("/some/cache", "/some/data")
    with pytest.raises(InputError, match=r"^HOME=.*set HOME to a folder of yours"):
        require_home("/some/cache", None)
    monkeypatch.setenv("HOME", "/home/me")
    require_home(None, None)
