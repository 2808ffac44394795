"""The files of a map: a picture, a tidy table, and a page in Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnn_ablation.claims import Verdict
from cnn_ablation.claims.rows import COLUMNS, rows_csv, verdict_rows
from cnn_ablation.claims.verdict import ContrastVerdict
from cnn_ablation.display.text import markdown_table
from cnn_ablation.report.axes import difference_label
from cnn_ablation.report.map_figure import MapCell, map_chart
from cnn_ablation.report.rendering import chart_files
from cnn_ablation.study import Study
from cnn_ablation.study.map import agreement
from cnn_ablation.system.files import write_bytes, write_text

Verdicts = Mapping[str, Sequence[Verdict]]


def write_map(
    study: Study, settings: Mapping[str, Mapping[str, Any]], found: Verdicts, folder: Path
) -> Path:
    """Writes a map's files, each atomically.

    Args:
        study: what was repeated.
        settings: each point's values by field, by its label.
        found: each point's verdicts, one a claim, by its label.
        folder: where the files go; made if need be.

    Returns:
        The path of the picture.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cells = map_cells(found)
    picture = folder / "map.png"
    if cells:
        chart = map_chart("map", cells, study.title)
        for form, image in chart_files(chart).items():
            write_bytes(folder / f"map.{form}", image)
    axes = list(next(iter(settings.values())))
    rows = [
        {**settings[label], **row}
        for label, verdicts in found.items()
        for verdict in verdicts
        for row in verdict_rows(verdict)
    ]
    write_text(folder / "map.csv", rows_csv((*axes, *COLUMNS), rows))
    write_text(folder / "map.md", _page(study, found, bool(cells)))
    return picture


def map_cells(found: Verdicts) -> list[MapCell]:
    """A cell for each setting and each contrast that statistics judge, each contrast once."""
    cells: dict[tuple[str, str, str], MapCell] = {}
    for setting, verdicts in found.items():
        for verdict in verdicts:
            if verdict.claim.kind == "exact":
                continue
            for one in verdict.contrasts:
                cell = _cell(setting, verdict, one)
                cells.setdefault((setting, cell.contrast, cell.measure), cell)
    return list(cells.values())


def _page(study: Study, found: Verdicts, drawn: bool) -> str:
    judged = {
        label: [v for v in verdicts if v.claim.kind != "exact"] for label, verdicts in found.items()
    }
    claims = next(iter(judged.values()))
    head = ("setting", *(verdict.claim.text for verdict in claims))
    rows = [
        (label, *(", ".join((v.outcome, *v.qualifiers)) for v in verdicts))
        for label, verdicts in judged.items()
    ]
    parts = [f"# {study.title}", f"{len(found)} settings, {len(claims)} claims."]
    if drawn:
        parts.append("![Map of differences and verdicts](map.png)")
    parts += [markdown_table([head, *rows], figures=False), "Where verdicts agree:"]
    parts.append("\n".join(f"- {line}" for line in agreement(found)))
    return "\n\n".join(parts) + "\n"


def _cell(setting: str, verdict: Verdict, one: ContrastVerdict) -> MapCell:
    unit = verdict.claim.unit
    ends = one.interval and sorted(map(unit.drawn, (one.interval.low, one.interval.high)))
    return MapCell(
        setting,
        one.named,
        None if one.difference is None else unit.drawn(one.difference),
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        outcome=one.outcome,
        measure=difference_label(unit),
    )
