"""The command that judges claims on anybody's tables of results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from cnn_ablation.claims import Verdict
from cnn_ablation.claims.declared import DeclaredClaims
from cnn_ablation.claims.rows import verdicts_csv
from cnn_ablation.commands import entry
from cnn_ablation.display.text import wrap
from cnn_ablation.errors import InputError
from cnn_ablation.ingest import judge_tables, read_rows
from cnn_ablation.system.files import write_bytes, write_text
from cnn_ablation.system.paths import user_path

_DESCRIPTION = """{program} TABLE [TABLE ...] --claims=claims.toml

Judges claims on anybody's results. A TABLE is a .csv, .tsv, .jsonl or .parquet file, long, tidy
or wide, or mlflow:EXPERIMENT; docs/judge.md has the forms. JAX is not loaded."""
_MODULE = "cnn_ablation: judging"
FLAGS = flags.FLAGS


def run() -> None:
    """Judges the tables that the command line names, and exits."""
    flags.DEFINE_string("claims", None, "TOML file of the claims", module_name=_MODULE)
    flags.DEFINE_string(
        "out",
        None,
        "folder for verdicts.csv and figures (default: none are written)",
        module_name=_MODULE,
    )
    tables = entry.take_words()
    entry.run(lambda: _judge(tables), _DESCRIPTION.format(program=entry.called_as("judge")))


def _judge(tables: Sequence[str]) -> None:
    if not FLAGS.claims:
        raise InputError("--claims: must name a TOML file of claims")
    if not tables:
        raise InputError("TABLE: name a table of results, such as results.csv")
    declared = _read_claims(FLAGS.claims)
    verdicts = judge_tables(declared, [read_rows(table) for table in tables])
    print("\n".join(wrap(verdict.sentence(), "* ") for verdict in verdicts))
    if FLAGS.out:
        _write(user_path("out", FLAGS.out), declared, verdicts)


def _read_claims(given: str) -> DeclaredClaims:
    path = user_path("claims", given)
    try:
        return DeclaredClaims.from_toml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--claims={given}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"--claims={given}: is no text in UTF-8") from None
    except InputError as error:
        raise InputError(f"--claims={given}: {error}") from None


def _write(folder: Path, declared: DeclaredClaims, verdicts: Sequence[Verdict]) -> None:
    # Imported late: drawing takes a second to import.
    from cnn_ablation.report.differences import difference_chart, difference_panel
    from cnn_ablation.report.rendering import chart_files

    of_figure: dict[str, list[Verdict]] = {}
    for one, verdict in zip(declared.claims, verdicts, strict=True):
        of_figure.setdefault(one.figure or "differences", []).append(verdict)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "verdicts.csv", verdicts_csv(verdicts))
        for name, own in of_figure.items():
            chart = difference_chart(name, [difference_panel(one) for one in own])
            for form, image in chart_files(chart).items() if chart else ():
                write_bytes(folder / f"{name}.{form}", image)
    except OSError as error:
        raise InputError(
            f"--out={folder}: must be a folder to write to ({error.strerror})"
        ) from None
    print(f"\nwritten  {folder}")
