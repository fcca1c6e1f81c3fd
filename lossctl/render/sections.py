"""Titles over indented text: what the pages about losses are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from lossctl.losses import TASKS
from lossctl.render.rows import Column, Grid
from lossctl.render.screen import draw, line, safe, sheet

if TYPE_CHECKING:
    from lossctl.render.options import Style

Row: TypeAlias = tuple[str, ...]


def task_title(task: str) -> str:
    """A task as it is headed; a plugin's may be none of ours."""
    return TASKS.get(task, task)


def section(title: str, rows: Sequence[Row], style: Style) -> str:
    """A title over indented rows; columns and rows in which nothing stands are left out."""
    rows = [row for row in rows if any(row)]
    if not rows:
        return ""
    kept = [column for column in zip(*rows, strict=True) if any(column)]
    indented = zip([""] * len(rows), *kept, strict=True)
    columns = tuple(Column("", "text") for _ in range(len(kept) + 1))
    body = draw(sheet(Grid(title, columns, tuple(indented)), style), style, headed=False)
    return f"{line(title, style, 'bold')}\n{body}"


def lines(title: str, body: Sequence[str], style: Style) -> str:
    """A title over lines that never fold: commands to copy, and plots."""
    if not body:
        return ""
    return "\n".join(
        [line(title, style, "bold"), *(f"  {safe(text, style)}".rstrip() for text in body)]
    )
