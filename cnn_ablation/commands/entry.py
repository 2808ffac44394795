"""How every entry point starts and ends: flags parsed, help shown, errors in one line.

Exit codes: 0 done, 1 a host or cluster was lost, 2 bad input, 130 stopped by Ctrl-C or SIGTERM,
141 output cut off; an entry point may return others.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from absl import flags, logging

from cnn_ablation.errors import InputError, PeerLostError, one_line
from cnn_ablation.execution import hosts
from cnn_ablation.system import clock, stopping  # noqa: F401  Clock's import notes the time.

PROGRAM = "cnn-ablation"
_HELP = ("--help", "-h", "-help", "--helpshort", "--helpfull", "-helpfull")


def run(
    main: Callable[[], int | None],
    description: str,
    *,
    explain: Callable[[str], str | None] = lambda flag: None,
) -> NoReturn:
    """Runs `main` once the flags are parsed, and exits.

    Args:
        main: does the work; returns the exit code, None for 0.
        description: what `--help` prints above the flags.
        explain: from the name of a flag that there is not to why, or None.
    """
    stopping.listen()
    _show_any_text()
    code = 141
    try:
        with hosts.ending_together(), in_one_line():
            stopping.check()
            parse(sys.argv, description, explain)
            _quieten()
            code = main() or 0
            stopping.settle()
            sys.exit(code)
    except BrokenPipeError:
        # Whoever read the output, `head` say, has had enough; Python must not try to flush it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(code)


def parse(
    argv: list[str],
    description: str = "",
    explain: Callable[[str], str | None] = lambda flag: None,
) -> None:
    """Reads the flags of a command line.

    Raises:
        InputError: it holds something that is no flag, or a flag's value is not of its kind.
        SystemExit: it asks for help, which has been printed.
    """
    if any(argument in _HELP for argument in argv[1:]):
        print(_help(description, full=any("full" in argument for argument in argv[1:])))
        sys.exit(0)
    try:
        rest = flags.FLAGS(argv)
    except flags.UnrecognizedFlagError as error:
        raise InputError(explain(error.flagname) or _words(error)) from None
    except (flags.Error, OSError, ValueError) as error:
        # Absl's own flags, and files of flags that cannot be read, raise errors of other kinds.
        raise InputError(_words(error)) from None
    if len(rest) > 1:
        raise InputError(
            f"{rest[1]}: not a flag; flags are written --name=value, --help lists them"
        )


def called_as(module: str) -> str:
    """How the user calls a command: by `cnn-ablation NAME`, or by its module."""
    called = sys.argv[0]
    return called if called.startswith(PROGRAM) else f"python -m cnn_ablation.{module}"


def take_words() -> list[str]:
    """Takes the words that are no flags off the command line."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    sys.argv[1:] = [word for word in sys.argv[1:] if word.startswith("-")]
    return words


@contextlib.contextmanager
def in_one_line() -> Iterator[None]:
    """Ends the process in one line where its user is to blame, or has stopped it."""
    try:
        yield
    except SystemExit:
        raise
    except BrokenPipeError:
        raise
    except BaseException as error:
        if stopping.is_requested() or isinstance(error, KeyboardInterrupt):
            reason = str(error) if isinstance(error, KeyboardInterrupt) else ""
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            stopping.end_now(one_line(f"stopped; {reason}" if reason else "stopped"))
        if isinstance(error, PeerLostError):
            # What libraries do on the way out would wait for what is gone.
            print(one_line(f"error: {error}"), file=sys.stderr, flush=True)
            os._exit(1)
        if isinstance(error, InputError):
            _end(f"error: {error}", 2)
        if isinstance(error, OSError) and error.strerror:
            named = f"{error.filename}: " if error.filename is not None else ""
            _end(f"error: {named}{error.strerror}", 2)
        if isinstance(error, MemoryError):
            _end("error: not enough memory for what the flags ask for", 2)
        raise


def _end(line: str, code: int) -> NoReturn:
    print(one_line(line), file=sys.stderr)
    sys.exit(code)


def _show_any_text() -> None:
    """Lets a terminal that cannot show a character of a path, say, show its number instead."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _quieten() -> None:
    logging.use_absl_handler()
    if not flags.FLAGS["verbosity"].present:
        # Libraries' notices of normal work are not for users; --verbosity=0 brings them back.
        logging.set_verbosity(logging.WARNING)
    # There is no trace to be had where standard error is no file.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        faulthandler.enable()


def _words(error: Exception) -> str:
    return str(error).removeprefix("flag ").removeprefix("ERROR:: ").replace("\n", " ")


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
