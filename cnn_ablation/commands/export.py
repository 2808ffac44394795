"""The command that gives results of runs and studies as one tidy table."""

import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from cnn_ablation.commands import entry
from cnn_ablation.commands.runs import read_runs
from cnn_ablation.errors import InputError
from cnn_ablation.study.rows import Row, rows_of, to_csv, to_json_lines, to_parquet
from cnn_ablation.system.files import unwritable, write_bytes
from cnn_ablation.system.paths import user_path

_PAGE = """{program} RUN [RUN ...] [--out=FILE]

Gives the results of runs and studies, finished or not, as one tidy table: a row a trial and epoch,
with every setting of the design, its parameters and multiply-accumulates, and the figures of the
epoch. RUN is a folder with a study.json or a metrics.json. Without --out it is CSV on standard
output; with it the ending says what is written:

  .csv       text with a heading; what is absent is empty
  .jsonl     a JSON object a line
  .parquet   typed columns, for pandas, Polars, DuckDB (needs pyarrow)

The column `run` says which folder a row is of. From Python: results.to_pandas(), .to_arrow().

{program} runs/stride-2 runs/stride-3 --out=strides.csv"""
_RUN = {"run": "string"}
FLAGS = flags.FLAGS


def run() -> None:
    """Exports what the command line names, and exits."""
    text = "file to write: .csv, .jsonl or .parquet (default: CSV on standard output)"
    flags.DEFINE_string("out", None, text, module_name="cnn_ablation: the table")
    given = entry.take_words()
    entry.run(lambda: _export(given), _PAGE.format(program=entry.called_as("export")))


def _export(given: Sequence[str]) -> None:
    if not given:
        raise InputError("RUN: name the folder of a run or study")
    rows: list[Row] = [
        {"run": run.name, **row} for run in read_runs(given) for row in rows_of(run.results)
    ]
    if not FLAGS.out:
        sys.stdout.write(to_csv(rows, _RUN))
        return
    path = user_path("out", FLAGS.out)
    content = _content(path, rows)
    try:
        write_bytes(path, content)
    except OSError as error:
        raise unwritable(path, error) from None
    print(f"written  {path} ({len(rows)} rows)")


def _content(path: Path, rows: Sequence[Row]) -> bytes:
    if path.suffix == ".csv":
        return to_csv(rows, _RUN).encode()
    if path.suffix == ".jsonl":
        return to_json_lines(rows).encode()
    if path.suffix != ".parquet":
        raise InputError(f"--out={path}: must end in .csv, .jsonl or .parquet")
    table = to_parquet(rows, _RUN)
    if table is None:
        raise InputError(f"--out={path}: needs the package pyarrow: pip install pyarrow")
    return table
