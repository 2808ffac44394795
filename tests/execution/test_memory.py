"""What cannot fit into the machine is refused before any of it is asked for."""

from typing import Any

import pytest

from cnn_ablation.design import NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.errors import InputError
from cnn_ablation.execution import memory


@pytest.mark.parametrize(
    ("network", "training", "seeds", "says"),
    [
        ({"features": 1_000_000}, {}, 1, "--features=1000000: "),
        ({"hidden": 10**9}, {}, 1, "--hidden=1000000000: "),
        ({}, {"batch_size": 10**9}, 1, "--batch_size=1000000000: a batch would take 3,136 GB"),
        ({}, {}, 10**8, "--num_seeds=100000000: 100,000,000 trials would take 100 GB or more"),
    ],
)
def test_too_much_is_refused(
    network: dict[str, Any],
    training: dict[str, Any],
    seeds: int,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "_memory", lambda: 32e9)
    spec = TrialSpec(NetworkSpec(**network), TrainingSpec(**training))
    with pytest.raises(InputError) as refused:
        memory.require_memory([spec], range(seeds))
    assert str(refused.value).startswith(says)
    assert str(refused.value).endswith("this machine has 32 GB")
    memory.require_memory([TrialSpec()], range(20))
