"""How every entry point starts and ends: flags parsed, help shown, errors in one line.

Exit codes: 0 done, 2 bad input, 130 stopped by Ctrl-C, 141 output cut off; an entry point may
return others.
"""

from __future__ import annotations

import os
import signal
import sys
import textwrap
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from absl import app, flags, logging

from cnn_ablation.errors import InputError
from cnn_ablation.execution import hosts
from cnn_ablation.system import clock  # noqa: F401  Its import notes the time.

_HELP = ("--help", "-h", "-help", "--helpshort", "--helpfull", "-helpfull")


def run(
    main: Callable[[], int | None],
    description: str,
    *,
    explain: Callable[[str], str | None] = lambda flag: None,
) -> None:
    """Runs `main` once the flags are parsed, and exits.

    Args:
        main: does the work; returns the exit code, None for 0.
        description: what `--help` prints above the flags.
        explain: from the name of a flag that there is not to why, or None.
    """

    def guarded(_: list[str]) -> None:
        if not flags.FLAGS["verbosity"].present:
            # Libraries' notices of normal work are not for users; --verbosity=0 brings them back.
            logging.set_verbosity(logging.WARNING)
        signal.signal(signal.SIGTERM, _as_interrupt)
        with hosts.ending_together():
            code = _guard(main)
        sys.exit(code)

    try:
        app.run(guarded, flags_parser=lambda argv: _parse(argv, description, explain))
    except BrokenPipeError:
        # Whoever read the output, `head` say, has had enough; Python must not try to flush it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _guard(main: Callable[[], int | None]) -> int:
    try:
        return main() or 0
    except InputError as error:
        _refuse(str(error))
    except KeyboardInterrupt as stop:
        print(f"stopped; {stop}" if str(stop) else "stopped", file=sys.stderr)
        sys.exit(130)


def _parse(argv: list[str], description: str, explain: Callable[[str], str | None]) -> list[str]:
    if any(argument in _HELP for argument in argv[1:]):
        print(_help(description, full=any("full" in argument for argument in argv[1:])))
        sys.exit(0)
    try:
        rest = flags.FLAGS(argv)
    except flags.UnrecognizedFlagError as error:
        _refuse(explain(error.flagname) or _one_line(error))
    except flags.Error as error:
        _refuse(_one_line(error))
    if len(rest) > 1:
        _refuse(f"{rest[1]}: not a flag; flags are written --name=value, --help lists them")
    return list(rest)


def _one_line(error: Exception) -> str:
    return str(error).removeprefix("flag ").replace("\n", " ")


def _help(description: str, *, full: bool) -> str:
    """The flags of this project under their headings; for `--helpfull` those of others too."""
    parts = [description.strip()]
    for module, its_flags in flags.FLAGS.flags_by_module_dict().items():
        if module.startswith("cnn_ablation") or full:
            lines = [f"{module}:"]
            for flag in its_flags:
                lines.append(f"  --{flag.name}={_default(flag)}")
                lines.append(textwrap.indent(textwrap.fill(flag.help or "", 90), " " * 6))
            parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _default(flag: flags.Flag[Any]) -> str:
    if flag.default is None:
        return ""
    return str(flag.serializer.serialize(flag.default) if flag.serializer else flag.default)


def _refuse(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM, which clusters send, ends a run as Ctrl-C does."""
    raise KeyboardInterrupt
