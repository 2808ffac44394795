"""A single run's files after any damage: named in one line or made again, never believed."""

import json
import shutil
from pathlib import Path

import damage
import pytest
import tally
from fake_training import FakeExecutor, train
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnn_ablation.data import Dataset
from cnn_ablation.errors import InputError
from cnn_ablation.execution import preparing

NAMES = ("metrics.json", "metrics.jsonl", "trials.jsonl", "study.json")
QUICK = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LONG = settings(QUICK, max_examples=500)


@pytest.fixture
def sound(mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    class AtHand:
        def __init__(self, *_: object, **__: object) -> None: ...

        def get(self, *_: object) -> Dataset:
            return mnist

    monkeypatch.setattr(preparing, "make_executor", FakeExecutor)
    monkeypatch.setattr(preparing, "Datasets", AtHand)
    monkeypatch.setattr(FakeExecutor, "same", True)
    train(tmp_path / "sound")
    return tmp_path / "sound"


def runs(folder: Path) -> object:
    return json.loads((folder / "metrics.json").read_bytes())["runs"]


def damage_one(data: st.DataObject, sound: Path, folder: Path) -> None:
    """Damages a file of a finished run, or of one that has all trials and no metrics yet."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)
    name = data.draw(st.sampled_from(NAMES))
    kind, content = data.draw(damage.damaged_bytes((folder / name).read_bytes()))
    (folder / name).write_bytes(content)
    if name != "metrics.json":
        (folder / "metrics.json").unlink()
    outcome = "made again"
    try:
        assert train(folder, overwrite=False) == 0
    except InputError as error:
        assert str(error).isprintable()
        outcome = "refused in one line"
        assert name in str(error) or "finished run" in str(error)
        assert (folder / name).read_bytes() == content, "what is refused is left as it is"
        (folder / name).unlink()
        if "finished run" not in str(error):
            assert train(folder, overwrite=False) == 0
            assert runs(folder) == runs(sound)
    else:
        assert runs(folder) == runs(sound)
    tally.note(name, kind, outcome)


@QUICK
@given(data=st.data())
def test_damaged_files_of_a_run(data: st.DataObject, sound: Path, tmp_path: Path) -> None:
    damage_one(data, sound, tmp_path / "run")


@pytest.mark.search
@LONG
@given(data=st.data())
def test_hundreds_of_damaged_files_of_a_run(
    data: st.DataObject, sound: Path, tmp_path: Path
) -> None:
    damage_one(data, sound, tmp_path / "run")
