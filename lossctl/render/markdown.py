"""GitHub's Markdown: for pull requests, issues and notebooks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lossctl.render import comparison as comparing
from lossctl.render.rows import MISSING, counted, grids, has_samples, input_grid, sample_texts
from lossctl.render.text import shown

if TYPE_CHECKING:
    from lossctl.render.options import Style
    from lossctl.render.rows import Grid
    from lossctl.report import Comparison, Report

# What Markdown or GitHub would read as markup. An underscore, an @ or a # inside a word is
# left, for it means nothing there and `log_cosh@keras` stays readable in the source.
_MARKUP = re.compile(r"[\\`*\[\]~$|]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = re.compile(r"[&<>]|(?<!\w)[@#](?=\w)")


def markdown(report: Report, style: Style) -> str:
    """The losses, components, groups, worst samples, single samples, inputs, notes, signature."""
    parts = [text for grid in grids(report) for text in _titled(grid, style)]
    if has_samples(report):
        # whole columns of numbers, in which there is nothing to escape
        heads, *rows = zip(*sample_texts(report, style.readable, MISSING))
        parts += ["### Samples", _pipes(map(escaped, heads), ["---:"] * len(heads), rows)]
    return "\n\n".join(parts + _titled(input_grid(report), style) + _tail(report))


def comparison_markdown(comparison: Comparison, style: Style) -> str:
    """The differences and what the verdicts rest on, groups, changed samples, inputs, notes."""
    first, *others = comparing.grids(comparison)
    parts = _titled(first, style)
    parts.append("\n".join(f"- {escaped(text)}" for text in comparing.explained(comparison)))
    for grid in (*others, comparing.inputs(comparison)):
        parts += _titled(grid, style)
    return "\n\n".join(parts + _tail(comparison))


def _tail(report: Report | Comparison) -> list[str]:
    """The samples, the notes and the signature."""
    parts = [counted(report) + "."]
    if report.notes:
        parts.append("\n".join(f"- {escaped(note)}" for note in report.notes))
    return [*parts, f"Signature: {escaped(report.signature)}"]


def tables(grids: Iterable[Grid], style: Style) -> str:
    """The grids one after the other, each under its title."""
    return "\n\n".join(text for grid in grids for text in _titled(grid, style))


def _titled(grid: Grid, style: Style) -> list[str]:
    rows = grid.texts(style.readable, asked=style.precision is not None)
    text = _pipes(
        (escaped(column.name) for column in grid.columns),
        ("---" if column.kind in ("text", "unit", "word") else "---:" for column in grid.columns),
        (map(escaped, row) for row in rows),
    )
    return [f"### {escaped(grid.title)}", text] if grid.title else [text]


def _pipes(heads: Iterable[str], rules: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table between pipes; numbers to the right."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rules, *rows))


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    text = _ENTITIES.sub(lambda found: "".join(f"&#{ord(c)};" for c in found[0]), shown(text))
    return _MARKUP.sub(r"\\\g<0>", text)
