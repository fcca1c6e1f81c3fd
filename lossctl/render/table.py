"""The report for a reader at a terminal: what was evaluated, the losses, then what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lossctl.render import comparison as comparing
from lossctl.render.rows import MISSING, counted, grids, has_samples, input_grid, sample_texts
from lossctl.render.screen import aligned, draw, fitted, line, right, safe, sheet

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.render.rows import Grid
    from lossctl.report import Comparison, Report

_LEGEND = "std … max: of the losses of single samples"


def table(report: Report, style: Style) -> str:
    """The report as tables.

    A terminal gets them in its width: the losses' table is turned round where it is too wide,
    the others are split between columns. A file or pipe gets lines of any length.
    """
    parts = [_evaluated(input_grid(report), counted(report), style)]
    for grid in grids(report):
        weighted = ", weighted" if "weight" in report.inputs else ""
        described = any(column.name == "std" for column in grid.columns)
        parts.append(_drawn(grid, style, [_LEGEND + weighted] if described else []))
    if has_samples(report):
        title = line("Samples", style, "bold")
        parts.append(f"{title}\n{_samples(report, style)}")
    if report.notes:
        parts.append(_notes(report.notes, style))
    return "\n\n".join(parts)


def comparison_table(comparison: Comparison, style: Style) -> str:
    """The comparison as tables, laid out as `table` does, with what the verdicts rest on."""
    first, *others = comparing.grids(comparison)
    parts = [
        _evaluated(comparing.inputs(comparison), counted(comparison), style),
        _drawn(first, style, comparing.explained(comparison)),
        *(_drawn(grid, style) for grid in others),
    ]
    if comparison.notes:
        parts.append(_notes(comparison.notes, style))
    return "\n\n".join(parts)


def _evaluated(inputs: Grid, samples: str, style: Style) -> str:
    said = line(samples, style)
    return f"{draw(sheet(inputs, style), style, headed=False)}\n{said}" if inputs.rows else said


def _drawn(grid: Grid, style: Style, legend: Sequence[str] = ()) -> str:
    """A grid under its title, over the lines that explain it."""
    pieces = fitted(sheet(grid, style), style.room, turn=not grid.title)
    text = "\n\n".join(draw(piece, style) for piece in pieces)
    text = "\n".join([text, *(line(item, style, "dim") for item in legend)])
    return f"{line(grid.title, style, 'bold')}\n{text}" if grid.title else text


def _notes(notes: Sequence[str], style: Style) -> str:
    return "\n".join(line(f"note: {note}", style, "dim") for note in notes)


def _samples(report: Report, style: Style) -> str:
    """Every sample in bare lines: rich would take minutes for a million."""
    columns = []
    for head, *numbers in sample_texts(report, style.readable, safe(MISSING, style)):
        columns.append(right([safe(head, style), *aligned(numbers)]))
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns))
