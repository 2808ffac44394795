"""`--num_seeds` as a number and as a range."""

import forked
import pytest

CODE = """
import sys
from absl import flags
from cnn_ablation.commands import flags as ours
from cnn_ablation.errors import InputError
from cnn_ablation.execution.options import StudyOptions
ours.define_seed_flags(10, sequential=True)
ours.define_record(StudyOptions, "study")
try:
    flags.FLAGS(["test", *sys.argv[1:]])
    print(ours.seed_options())
except (InputError, flags.Error) as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--num_seeds=7"], "{'seeds': range(0, 7)}"),
        (
            ["--num_seeds=10..60", "--seed=5"],
            "{'seeds': range(5, 15), 'until_decided': True, 'max_seeds': 60}",
        ),
        (["--num_seeds=60..10"], "--num_seeds=60..10: must rise"),
        (["--num_seeds=0..10"], "--num_seeds=0: must be a whole number of 1 or more"),
        (["--num_seeds=10..60", "--max_seeds=9"], "must be a number where --max_seeds is given"),
        (["--num_seeds=10..60", "--looks=9"], "must be a number where --looks is given"),
        (["--num_seeds=many"], "must be a whole number, or two as in 10..60"),
        (["--num_seeds=10..many"], "must be a whole number, or two as in 10..60"),
    ],
)
def test_a_number_or_a_range(words: list[str], expected: str) -> None:
    assert expected in forked.run("-c", CODE, *words).stdout
