"""What trains is compared with what has trained: each kind said once, or refused."""

from pathlib import Path

import filled_study
import pytest

from cnn_ablation.errors import InputError
from cnn_ablation.execution.mixing import Mixing
from cnn_ablation.study.store import Store
from cnn_ablation.system.hardware import Machine

OLD = Machine("cpu", {"processor": "old", "vector_bits": 128})
NEW = Machine("cpu", {"processor": "new", "vector_bits": 512})
NEWER = Machine("cpu", {"processor": "newer", "vector_bits": 512})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A study with a trial of old hardware, one of new, and one of which nothing is known."""
    with Store(tmp_path / "study", filled_study.PLAN) as store:
        for trial, machine in zip(filled_study.ALL, (OLD, NEW, Machine()), strict=False):
            store.add_trial(trial, machine)
        return store


def test_each_kind_is_said_once_with_what_it_is_mixed_with(store: Store) -> None:
    mixing = Mixing(store, is_refused=False)
    assert mixing.meet(None) == ""
    said = mixing.meet(NEW.hardware)
    assert said.startswith("mixed    1 trial was trained on other hardware (1 with processor old,")
    assert mixing.meet(NEW.hardware) == ""
    assert "(1 with processor old, vector bits 128; 1 with processor new)" in " ".join(
        mixing.meet(NEWER.hardware).split()
    )


def test_other_hardware_is_refused_where_that_is_asked_for(store: Store) -> None:
    with pytest.raises(
        InputError, match=r"^--same_hardware: 1 trial .* name another --workdir, or"
    ):
        Mixing(store, is_refused=True).meet(NEW.hardware)


def test_workers_of_two_kinds_are_told_apart_before_there_is_a_trial(tmp_path: Path) -> None:
    with Store(tmp_path / "study", filled_study.PLAN) as store:
        mixing = Mixing(store, is_refused=True)
        assert mixing.meet(OLD.hardware) == "" == mixing.meet(OLD.hardware)
        with pytest.raises(InputError, match=r"of other hardware too \(one with processor o"):
            mixing.meet(NEW.hardware)
