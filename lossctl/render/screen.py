"""Text for people, drawn by rich. Places are given here; nothing is ever cut off.

What is too wide for the terminal is turned round or split between columns; only text folds,
a number never does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

from rich.box import Box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lossctl.render.text import ascii_only, shown

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lossctl.render.options import Style
    from lossctl.render.rows import Grid, Kind

_GAP = 2
_LEAST = 12  # cells that a column of text keeps, however narrow the terminal
_STYLES = {"unit": "dim", "value": "bold cyan"}
_WORDS = {
    "better": "green", "passed": "green", "worse": "red", "mixed": "yellow",
    "FAILED": "bold red", "error": "bold red",
}  # fmt: skip
_NONFINITE = ("nan", "inf", "-inf")


class Cell(NamedTuple):
    """Harmless text, and what it is."""

    text: str
    kind: Kind = "text"

    @property
    def style(self) -> str:
        """How rich writes it."""
        if self.kind == "value" and self.text in _NONFINITE:
            return "bold red"
        if self.kind == "word":
            return _WORDS.get(self.text, "")
        return _STYLES.get(self.kind, "")


@dataclass(frozen=True)
class Strip:
    """A column as it will be seen."""

    head: str
    kind: Kind
    cells: tuple[Cell, ...]
    tied: bool = False  # stays beside the one before it

    @property
    def foldable(self) -> bool:
        """Whether the column may be made narrower."""
        return self.kind == "text"

    @cached_property
    def texts(self) -> list[str]:
        """The head, then the cells, numbers put under each other by their points."""
        texts = [cell.text for cell in self.cells]
        if self.kind in ("text", "unit", "word"):
            return [self.head, *texts]
        alike = len({cell.kind for cell in self.cells}) <= 1
        return right([self.head, *(aligned(texts) if alike else texts)])

    @cached_property
    def width(self) -> int:
        """The cells that it takes."""
        return max(map(cell_len, self.texts))


@dataclass(frozen=True)
class Sheet:
    """Columns beside each other."""

    strips: tuple[Strip, ...]

    @property
    def width(self) -> int:
        """The cells that it takes where nothing folds."""
        return sum(strip.width + _GAP for strip in self.strips) - _GAP

    @property
    def least(self) -> int:
        """The cells that it takes however much text folds."""
        widths = (min(s.width, _LEAST) if s.foldable else s.width for s in self.strips)
        return sum(width + _GAP for width in widths) - _GAP


def sheet(grid: Grid, style: Style) -> Sheet:
    """A grid's cells as harmless text."""
    rows = grid.texts(style.readable, asked=style.precision is not None)
    return Sheet(
        tuple(
            Strip(
                safe(column.name, style),
                column.kind,
                tuple(Cell(safe(row[i], style), column.kind) for row in rows),
                column.tied,
            )
            for i, column in enumerate(grid.columns)
        )
    )


def safe(text: str, style: Style) -> str:
    """Text that the stream can take and the terminal does not obey."""
    return shown(text) if style.unicode else ascii_only(shown(text))


def aligned(numbers: Sequence[str]) -> list[str]:
    """Numbers padded on the right so that their points stand under each other."""
    behind = [len(t) - len(t.partition(".")[0].partition("e")[0]) for t in numbers]
    most = max(behind, default=0)
    return [text + " " * (most - own) for text, own in zip(numbers, behind, strict=True)]


def right(texts: Sequence[str]) -> list[str]:
    """Texts padded on the left to one width."""
    width = max(map(cell_len, texts), default=0)
    return [" " * (width - cell_len(text)) + text for text in texts]


def transposed(old: Sheet) -> Sheet:
    """Rows for columns: the first column's cells become the heads."""
    first, *rest = old.strips
    names = Strip("", "text", tuple(Cell(strip.head) for strip in rest))
    turned = (
        Strip(cell.text, "figure", tuple(strip.cells[row] for strip in rest))
        for row, cell in enumerate(first.cells)
    )
    return Sheet((names, *turned))


def split(wide: Sheet, room: int) -> list[Sheet]:
    """Sheets that fit beside the names in front, which each of them repeats."""
    strips = wide.strips
    front = next((i for i, strip in enumerate(strips) if not strip.foldable), len(strips))
    names, found = strips[:front], []
    runs: list[tuple[Strip, ...]] = []
    for strip in strips[front:]:
        together = runs and strip.tied and Sheet((*names, *runs[-1], strip)).least <= room
        runs[-1:] = [(*runs[-1], strip)] if together else [*runs[-1:], (strip,)]
    held: tuple[Strip, ...] = ()
    for run in runs:
        if held and Sheet((*names, *held, *run)).least > room:
            found.append(Sheet((*names, *held)))
            held = ()
        held += run
    return [*found, Sheet((*names, *held))]


def fitted(whole: Sheet, room: int | None, turn: bool = False) -> list[Sheet]:
    """The sheet in as many pieces as the room asks for.

    Args:
        whole: The sheet.
        room: The cells of a line, None for any number.
        turn: Whether to turn it round before it is split.
    """
    if room is None or whole.width <= room:
        return [whole]
    return split(transposed(whole) if turn else whole, room)


def draw(drawn: Sheet, style: Style, headed: bool = True) -> str:
    """The sheet as text."""
    table = Table(
        box=_box("─" if style.unicode else "-") if headed else None,
        show_header=headed,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1 if headed else _GAP, 0, 0),  # a box brings one cell of its own
        border_style="dim",
        header_style="bold",
    )
    for strip in drawn.strips:
        table.add_column(
            Text(strip.texts[0]),
            no_wrap=not strip.foldable,
            overflow="fold",
            min_width=None if strip.foldable else strip.width,
        )
    for row in range(len(drawn.strips[0].cells)):
        cells = (Text(strip.texts[row + 1], strip.cells[row].style) for strip in drawn.strips)
        table.add_row(*cells)
    return _text(table, style, max(drawn.least, min(drawn.width, style.room or drawn.width)))


def line(text: str, style: Style, how: str = "") -> str:
    """A line in a rich style such as `bold`; folds where the terminal ends."""
    text = safe(text, style)
    return _text(Text(text, how), style, style.room or max(cell_len(text), 1))


def _box(rule: str) -> Box:
    blank = "    \n"
    return Box(f"{blank * 2} {rule * 2} \n{blank * 5}", ascii=rule == "-")


def _text(drawn: RenderableType, style: Style, width: int) -> str:
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        color_system="standard" if style.color else None,
        force_terminal=style.color,
        no_color=not style.color,
        legacy_windows=False,
        _environ={},  # what the environment says, the style says already
    )
    console.print(drawn)
    return "\n".join(text.rstrip() for text in out.getvalue().splitlines())
