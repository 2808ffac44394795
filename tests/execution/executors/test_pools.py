"""In which order workers get their tasks."""

from cnn_ablation.design import NetworkSpec, TrialSpec
from cnn_ablation.execution.executors.interface import Task
from cnn_ablation.execution.executors.pools import Pending

LARGE, SMALL = TrialSpec(), TrialSpec(NetworkSpec(stride=5))


def test_each_worker_keeps_to_the_design_that_it_has_compiled() -> None:
    tasks = [Task(SMALL, (0,)), Task(LARGE, (0,)), Task(SMALL, (1,)), Task(LARGE, (1,))]
    pending = Pending(tasks)
    assert pending.take(None) == Task(LARGE, (0,))
    assert pending.take(None) == Task(SMALL, (0,))
    assert pending.take(SMALL) == Task(SMALL, (1,))
    assert pending.take(LARGE) == Task(LARGE, (1,))
    assert pending.take(LARGE) is None


def test_who_has_no_design_left_helps_with_another() -> None:
    pending = Pending([Task(LARGE, (seed,)) for seed in range(3)])
    assert pending.take(None) == Task(LARGE, (0,))
    assert pending.take(None) == Task(LARGE, (1,))
    assert pending.take(SMALL) == Task(LARGE, (2,))
    assert pending.take(None) is None
