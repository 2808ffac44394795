"""The kept kernels after any damage: never loaded, compiled again."""

from pathlib import Path

import damage
import pytest
import tally
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnn_ablation.network.lowerings.native import build
from cnn_ablation.network.lowerings.native.library_record import misfit, write_record

CONTENT = b"a library " * 20
QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
LONG = settings(QUICK, max_examples=1000)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with a library of which a false compiler makes as many as it is asked for."""

    def compile_it(command: list[str], path: Path) -> None:
        path.write_bytes(CONTENT)
        path.chmod(0o700)
        write_record(path)

    monkeypatch.setenv("CNN_ABLATION_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(build, "find_compiler", lambda: ["c++"])
    monkeypatch.setattr(build, "_key", lambda *_: "key")
    monkeypatch.setattr(build, "_compile", compile_it)
    return build.library()[0].parent


def damage_one(data: st.DataObject, cache: Path) -> None:
    name = data.draw(st.sampled_from(["kernels.so", "kernels.json"]))
    build.library()
    before = (cache / name).read_bytes()
    kind, content = data.draw(damage.damaged_bytes(before))
    (cache / name).write_bytes(content)
    same = content == before
    refused = misfit(cache / "kernels.so") is not None
    assert refused != same or name == "kernels.json", "a damaged library is believed"
    path, _ = build.library()
    assert path.read_bytes() == CONTENT and misfit(path) is None
    tally.note(name, kind, "compiled again" if refused else "read as before")


@QUICK
@given(data=st.data())
def test_damaged_kernels_are_compiled_again(data: st.DataObject, cache: Path) -> None:
    damage_one(data, cache)


@pytest.mark.search
@LONG
@given(data=st.data())
def test_a_thousand_damaged_kernels(data: st.DataObject, cache: Path) -> None:
    damage_one(data, cache)
