"""The report for a reader at a terminal: what was evaluated, the losses, then what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lossctl.render.rows import MISSING, counted, grids, has_samples, input_grid, sample_texts
from lossctl.render.screen import aligned, draw, fitted, line, right, safe, sheet

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.report import Report

_LEGEND = "std … max: of the losses of single samples"


def table(report: Report, style: Style) -> str:
    """The report as tables.

    A terminal gets them in its width: the losses' table is turned round where it is too wide,
    the others are split between columns. A file or pipe gets lines of any length.
    """
    parts = [_evaluated(report, style)]
    for grid in grids(report):
        pieces = fitted(sheet(grid, style), style.room, turn=not grid.title)
        text = "\n\n".join(draw(piece, style) for piece in pieces)
        if any(column.name == "std" for column in grid.columns):
            weighted = ", weighted" if "weight" in report.inputs else ""
            text += f"\n{line(_LEGEND + weighted, style, 'dim')}"
        parts.append(f"{line(grid.title, style, 'bold')}\n{text}" if grid.title else text)
    if has_samples(report):
        title = line("Samples", style, "bold")
        parts.append(f"{title}\n{_samples(report, style)}")
    if report.notes:
        parts.append("\n".join(line(f"note: {note}", style, "dim") for note in report.notes))
    return "\n\n".join(parts)


def _evaluated(report: Report, style: Style) -> str:
    samples = line(counted(report), style)
    if not report.inputs:
        return samples
    return f"{draw(sheet(input_grid(report), style), style, headed=False)}\n{samples}"


def _samples(report: Report, style: Style) -> str:
    """Every sample in bare lines: rich would take minutes for a million."""
    columns = []
    for head, *numbers in sample_texts(report, style.readable, safe(MISSING, style)):
        columns.append(right([safe(head, style), *aligned(numbers)]))
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns))
