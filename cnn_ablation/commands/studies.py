"""The command that runs a study by its name, or from a file in TOML or Python."""

import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from cnn_ablation import studies
from cnn_ablation.commands import entry, flags
from cnn_ablation.commands.new_study import write_new
from cnn_ablation.commands.study import run_study, setting_flags
from cnn_ablation.errors import InputError, place_of
from cnn_ablation.options import Option
from cnn_ablation.options.registry import nearest
from cnn_ablation.study import Study
from cnn_ablation.study.toml_file import StudyFile, parse_study
from cnn_ablation.system.paths import user_path

_PAGE = """{program} STUDY [--FLAG=VALUE ...]
{program} --new NAME

Trains what is missing of a study, times its designs, judges its claims and writes a report.
Stopped, the same command goes on. STUDY is one of these, or a file of your own:

{names}

  FILE.toml   variants, axes, claims and settings as a table; nothing in it is executed.
              --new NAME writes NAME.toml, with a comment at each part, that runs as it is.
  FILE.py     your own Python, which is run: it may register activations, optimizers, datasets.
              It calls cnn_ablation.run_study, or has the study as STUDY.

{program} STUDY --help lists all flags of training, data and running, with the
study's own defaults. For a first look:
{program} stride --num_seeds=3 --train_split='train[:10%]'"""


def run() -> NoReturn:
    """Runs the study that the command line names, and exits."""
    words, given = sys.argv[1:], [word for word in sys.argv[1:] if not word.startswith("-")]
    new = next((word for word in words if word.split("=")[0] in ("--new", "-new")), None)
    asks = any(word.lstrip("-") in ("help", "h", "helpfull", "helpshort") for word in words)
    if new is not None and not asks:
        name = new.partition("=")[2] or (given[0] if given else "")
        sys.argv[1:] = []
        entry.run(lambda: write_new(name), _page())
    if not given:
        sys.argv[1:] = ["--help"] if asks or not words else []
        entry.run(_refuse_none, _page())
    with entry.in_one_line():
        if len(given) > 1:
            raise InputError(f"{given[1]}: one study at a time; flags are written --name=value")
        sys.argv[1:] = [word for word in words if word.startswith("-")]
        if given[0].endswith(".py"):
            code = _compiled(user_path("study", given[0]), given[0])
        else:
            _start(given[0])
            sys.exit(0)
    _run_python(code, given[0])
    sys.exit(0)


def read_study(path: str | Path) -> StudyFile:
    """Reads a study from a TOML file; nothing in it is executed.

    Raises:
        InputError: the file cannot be read, or a key or value is not allowed; the message names
            file and key.
    """
    try:
        return parse_study(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no text in UTF-8") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _refuse_none() -> None:
    raise InputError(f"STUDY: name a file, or one of {', '.join(studies.NAMES)}")


def _page() -> str:
    titles = {name: studies.find(name).study.title for name in studies.NAMES}
    width = max(map(len, titles))
    names = "\n".join(f"  {name:<{width}}  {title}" for name, title in titles.items())
    return _PAGE.format(program=entry.called_as("study"), names=names)


def _start(given: str) -> None:
    program = f"-m cnn_ablation study {given}"
    if given.endswith(".toml"):
        _run_toml(given, program)
    elif Path(given).is_file():
        raise InputError(f"{given}: must be a file in .toml or .py")
    else:
        found = studies.find(given)
        run_study(
            found.study,
            found.description,
            training=found.training,
            controls=found.controls,
            program=program,
        )


def _run_toml(given: str, program: str) -> None:
    found = read_study(user_path("study", given))
    description = found.description or f"{found.study.title} From {given}."
    try:
        defaults = {name: _checked(name, value) for name, value in found.run.items()}
    except InputError as error:
        raise InputError(f"{given}: run: {error}") from None
    run_study(
        found.study,
        description,
        training=found.training,
        data=found.data,
        defaults=defaults,
        program=program,
    )


def run_flags() -> Mapping[str, Option]:
    """What the table `run` of a file may set: the flags of a study but for training and data."""
    return {**flags.seed_flags(sequential=True), **setting_flags()}


def _checked(name: str, value: Any) -> Any:
    known = run_flags()
    if name not in known:
        raise InputError(f"{name}: unknown{nearest(name, known)}; allowed: {', '.join(known)}")
    its = known[name]
    if name == "num_seeds" and isinstance(value, str):
        try:
            return its.read(value)
        except ValueError as error:
            raise InputError(f"{name} = {value!r}: {error}") from None
    if name == "num_seeds" and type(value) is not int:
        raise InputError(f"{name} = {value!r}: must be {its.kind.words}")
    return its.checked(name, tuple(value) if isinstance(value, list) else value)


def _compiled(path: Path, given: str) -> types.CodeType:
    try:
        return compile(path.read_bytes(), str(path.resolve()), "exec")
    except OSError as error:
        raise InputError(f"{given}: cannot be read ({error.strerror})") from None
    except SyntaxError as error:
        raise InputError(f"{given}, line {error.lineno}: is no Python ({error.msg})") from None
    except ValueError as error:
        raise InputError(f"{given}: is no Python ({error})") from None


def _run_python(code: types.CodeType, given: str) -> None:
    """Runs a user's own file as `python FILE` does; then the study that it leaves as `STUDY`.

    Errors that are no InputError keep their traceback: they are of the user's own code.
    """
    called, sys.argv[0] = sys.argv[0], given
    module = types.ModuleType("__main__")
    module.__file__ = code.co_filename
    sys.modules["__main__"] = module
    sys.path.insert(0, str(Path(code.co_filename).parent))
    wrong: InputError | None = None
    try:
        exec(code, module.__dict__)
    except InputError as error:
        wrong = InputError(f"{place_of(error.__traceback__)}{error}")
    with entry.in_one_line():
        if wrong is not None:
            raise wrong
        sys.argv[0] = called
        study = getattr(module, "STUDY", None)
        if not isinstance(study, Study):
            raise InputError(f"{given}: starts no study, and has none as STUDY")
        run_study(study, module.__doc__, program=f"-m cnn_ablation study {given}")
