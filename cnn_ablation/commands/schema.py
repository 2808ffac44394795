"""The command that prints the JSON Schema of a file, or writes all of them."""

import json
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from cnn_ablation.commands import entry
from cnn_ablation.commands.schemas import schemas
from cnn_ablation.errors import InputError
from cnn_ablation.options.registry import nearest
from cnn_ablation.system.files import unwritable, write_text
from cnn_ablation.system.paths import user_path

_PAGE = """{program} NAME
{program} --out=FOLDER

Prints the JSON Schema of a file that is read or written, or writes all of them into a folder, as
NAME.schema.json. They follow from the fields' own declarations. NAME is

  study_file   a study in TOML: editors that know schemas complete and check its keys
  study        study.json of a study's folder
  trial        a line of trials.jsonl
  metrics      metrics.json of one design's run

In a TOML file, the line `#:schema study_file.schema.json` names it to editors with Taplo."""
FLAGS = flags.FLAGS


def run() -> None:
    """Prints or writes what the command line asks for, and exits."""
    text = "folder to write all schemas into"
    flags.DEFINE_string("out", None, text, module_name="cnn_ablation: schemas")
    given = entry.take_words()
    entry.run(lambda: _schema(given), _PAGE.format(program=entry.called_as("schema")))


def text_of(schema: dict[str, object]) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, indent=1) + "\n"


def _schema(given: Sequence[str]) -> None:
    found = schemas()
    if FLAGS.out:
        _write(user_path("out", FLAGS.out), found)
        return
    if len(given) != 1 or given[0] not in found:
        name = " ".join(given)
        raise InputError(f"NAME={name}: must be {', '.join(found)}{nearest(name, found)}")
    print(text_of(found[given[0]]), end="")


def _write(folder: Path, found: dict[str, dict[str, object]]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in found.items():
            write_text(folder / f"{name}.schema.json", text_of(schema))
    except OSError as error:
        raise unwritable(folder, error) from None
    print(f"written  {folder}")
