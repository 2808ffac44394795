"""One command for all: `cnn-ablation COMMAND`, or `python -m cnn_ablation COMMAND`."""

import dataclasses
import difflib
import importlib
import sys
from typing import NoReturn

from cnn_ablation.display.status import doing
from cnn_ablation.version import __version__

PROGRAM = "cnn-ablation"


@dataclasses.dataclass(frozen=True)
class Command:
    """A subcommand.

    Attributes:
        name: what users type.
        words: what they type behind it.
        purpose: what it does, in a line.
        module: whose `run` does it; imported when it is asked for.
    """

    name: str
    words: str
    purpose: str
    module: str


COMMANDS = (
    Command("train", "--stride=2 ...", "train one design, for one seed or several", "main"),
    Command("study", "NAME|FILE ...", "train and judge a study: many designs and seeds", "studies"),
    Command("compare", "RUN RUN ...", "put runs or studies side by side", "compare"),
    Command("report", "FOLDER", "make a study's report anew", "report"),
    Command(
        "export", "RUN ...", "give results as a tidy table: CSV, JSON lines, Parquet", "export"
    ),
    Command("judge", "TABLE --claims=FILE", "judge claims on anybody's results", "judge"),
    Command("predict", "MODEL IMAGES ...", "ask a trained model what images show", "predict"),
    Command("schema", "NAME", "print the JSON Schema of a file that is read or written", "schema"),
    Command("doctor", "", "say what is installed, what is missing, and what to do", "doctor"),
)
_PAGE = """cnn-ablation COMMAND ...     (or: python -m cnn_ablation COMMAND ...)

What do a CNN's design choices really do? Trains small convolutional networks, many seeds a
design, and judges conclusions that were written down before the run.

{commands}

Begin with
  cnn-ablation doctor                        is everything there?
  cnn-ablation train --stride=2              one design on MNIST: some 10 s on two cores
  cnn-ablation study stride --num_seeds=3    a study that comes with the package
  cnn-ablation study --new mine              writes mine.toml, a study of your own to change
  cnn-ablation study mine.toml               runs it; stopped, the same command goes on

cnn-ablation COMMAND --help is the page of a command. Flags are written --name=value.
Exit codes: 0 done, 2 bad input (one line says what), 130 stopped; others are on a command's page.
"""


def main() -> NoReturn:
    """Runs the subcommand that the command line names, and exits."""
    name, rest = (sys.argv[1] if len(sys.argv) > 1 else "--help"), sys.argv[2:]
    if name in ("--help", "-h", "-help", "help"):
        print(_page(), end="")
        sys.exit(0)
    if name in ("--version", "version"):
        print(f"cnn_ablation {__version__}")
        sys.exit(0)
    command = next((one for one in COMMANDS if one.name == name), None)
    if command is None:
        names = [one.name for one in COMMANDS]
        near = difflib.get_close_matches(name, names, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        print(f"error: {name!r}: must be {', '.join(names)}{meant}", file=sys.stderr)
        sys.exit(2)
    sys.argv = [f"{PROGRAM} {name}", *rest]
    place = "" if command.module == "main" else ".commands"
    # A terminal shows a first line before NumPy and its like are loaded.
    with doing("loading"):
        module = importlib.import_module(f"cnn_ablation{place}.{command.module}")
    module.run()
    sys.exit(0)


def _page() -> str:
    heads = [f"{one.name} {one.words}".rstrip() for one in COMMANDS]
    width = max(map(len, heads))
    lines = [f"  {h:<{width}}  {one.purpose}" for h, one in zip(heads, COMMANDS, strict=True)]
    return _PAGE.format(commands="\n".join(lines))


if __name__ == "__main__":
    main()
