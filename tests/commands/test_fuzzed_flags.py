"""Whatever is typed either describes a run or is refused in one line that names a flag.

`pytest -m search tests/commands/test_fuzzed_flags.py` tries 10,000 command lines.
"""

import contextlib
import io

import pytest
import tally
from absl import flags as absl_flags
from hypothesis import given, settings
from hypothesis import strategies as st

import cnn_ablation.commands.train  # noqa: F401  Defines the flags.
from cnn_ablation.commands import entry, flags
from cnn_ablation.errors import InputError

OURS = sorted(
    flag.name
    for module, its in absl_flags.FLAGS.flags_by_module_dict().items()
    if module.startswith("cnn_ablation")
    for flag in its
)
THEIRS = ["verbosity", "v", "log_dir", "logtostderr", "stderrthreshold", "flagfile", "undefok"]
ODD = [
    "",
    "0",
    "-1",
    "1e400",
    "nan",
    "inf",
    "10" * 30,
    "9" * 5000,
    "true",
    "None",
    "1,,2",
    ",",
    "=",
    "\n",
]
NUMBERS = st.integers(-2, 40).map(str) | st.integers().map(str) | st.floats().map(str)
WORDS = st.sampled_from(["valid", "same", "relu", "adam", "mnist", "cosine", "auto", "train[:10%]"])
ANY = st.text(st.characters(exclude_characters="\0"), max_size=12)
VALUES = st.one_of(
    NUMBERS,
    WORDS,
    st.sampled_from(ODD),
    ANY,
    st.lists(NUMBERS | WORDS | ANY, max_size=4).map(",".join),
)
NAMES = st.one_of(st.sampled_from(OURS), st.sampled_from(OURS + THEIRS), ANY)
ARGUMENTS = st.one_of(
    st.builds("--{}={}".format, st.sampled_from(OURS), VALUES),
    st.builds("--{}={}".format, NAMES, VALUES),
    st.builds("--{}".format, NAMES),
    st.builds("--no{}".format, NAMES),
    VALUES,
)


def outcome(arguments: list[str]) -> str | None:
    """The line that refuses a command line; None where it is taken."""
    values = absl_flags.FLAGS
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            entry.parse(["main", *arguments])
        flags.host_options()
        spec = flags.trial_spec()
        flags.study_options(training=spec.training, data=spec.data, seeds=flags.seeds())
    except InputError as refusal:
        return str(refusal)
    except SystemExit as shown:
        assert shown.code == 0, "help alone ends so"
    finally:
        for name in list(values):
            values[name].unparse()
        values.unparse_flags()
    return None


def require_one_line(arguments: list[str]) -> None:
    line = outcome(arguments)
    tally.note("command line", "generated", "taken" if line is None else "refused in one line")
    if line is not None:
        assert line and len(line.splitlines()) == 1 and line.isprintable(), arguments
        assert (
            line.startswith("--")
            or "flag" in line
            or any(line.startswith(repr(word)[1:-1][:5]) for word in arguments)
        ), (line, arguments)


@settings(max_examples=300)
@given(st.lists(ARGUMENTS, max_size=4))
def test_a_command_line_is_taken_or_refused_in_one_line(arguments: list[str]) -> None:
    require_one_line(arguments)


@pytest.mark.search
@settings(max_examples=10_000)
@given(st.lists(ARGUMENTS, max_size=4))
def test_ten_thousand_command_lines(arguments: list[str]) -> None:
    require_one_line(arguments)
