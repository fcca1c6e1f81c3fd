"""The one table that all formats share: parts of a data set, one after the other."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from lossctl.errors import DataError, nearest
from lossctl.sources.files import File
from lossctl.sources.lists import Wants, settled
from lossctl.sources.rebatch import Piece, rebatch
from lossctl.sources.table import Column, Slab, Want
from lossctl.sources.text import listed, path_text, plain


class Part(Protocol):
    """One file of a data set, opened: what a format has to offer.

    Attributes:
        typed: The file itself says its types; false where they are guessed from its first
            rows, so that each value has to be tried.
        sparse: Its rows may lack columns (JSON lines).
    """

    name: str
    columns: tuple[Column, ...]
    rows: int | None
    separate: bool
    typed: bool
    sparse: bool

    def pieces(self, names: Wants, rows: int) -> Iterator[Piece]:
        """Read the columns in order, best in pieces of `rows` rows."""
        ...

    def line(self, row: int) -> int | None:
        """The line (from 1) at which a row stands; None where there are no lines."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


def place_in(part: Part, row: int) -> str:
    """Say where a row of a part stands: `part-2.csv, row 17 (line 19)`."""
    line = part.line(row)
    return f"{part.name}, row {row}" + (f" (line {line})" if line is not None else "")


class Parts:
    """A table of one or more files; see `lossctl.sources.table.Table`."""

    def __init__(self, source: str, files: list[File], opener: Callable[[File], Part]) -> None:
        self.source = source
        self._files = files
        self._opener = opener
        self._read = False
        self._parts: list[Part] = []
        self._starts = [0]
        try:
            self._open_first()
        except BaseException:
            self.close()
            raise

    def _open_first(self) -> None:
        first = self._part(0)
        # Where headers say all, the whole data set is checked before the first row is read.
        for index in range(1, len(self._files) if first.typed else 1):
            self._part(index)
        self.separate = first.separate
        self.columns = _merged(self._parts)
        lengths = [part.rows for part in self._parts]
        known = [rows for rows in lengths if rows is not None]
        complete = len(known) == len(self._files)
        self.rows = sum(known) if complete else None
        if self.rows == 0 and not self.separate:
            raise DataError(f"{self._shown()}: no rows", "give data with at least one row")
        if complete:
            for rows in known[:-1]:
                self._starts.append(self._starts[-1] + rows)

    def slabs(self, names: Mapping[str, Want], rows: int) -> Iterator[Slab]:
        """Read the named columns in slabs of `rows` rows; see `Table.slabs`."""
        if rows < 1 or not names:
            raise ValueError("slabs need at least one row and one column")
        self._check(names)
        if self._files[0].once and self._read:
            raise DataError(
                f"{self._shown()} can be read only once", "save it to a file and name that"
            )
        self._read = True
        wants = Wants(names, self._parts[0].columns)
        return rebatch(settled(self._pieces(wants, rows), wants, self._shown()), rows, wants)

    def place(self, row: int) -> str:
        """Say where a row stands; see `Table.place`."""
        index = bisect_right(self._starts, row) - 1
        return place_in(self._parts[index], row - self._starts[index])

    def close(self) -> None:
        """Close all parts."""
        for part in self._parts:
            part.close()

    def _pieces(self, names: Wants, rows: int) -> Iterator[Piece]:
        total = 0
        for index in range(len(self._files)):
            part = self._part(index)
            if index:
                _same_columns(self._parts[0], part, names)
            if index < len(self._starts):
                self._starts[index] = total
            else:
                self._starts.append(total)
            for piece in part.pieces(names, rows):
                total += piece.rows
                yield piece
        if not total:
            raise DataError(f"{self._shown()}: no rows", "give data with at least one row")

    def _part(self, index: int) -> Part:
        if index == len(self._parts):
            part = self._opener(self._files[index])
            self._parts.append(part)
            if index:
                _same_names(self._parts[0], part)
        return self._parts[index]

    def _check(self, names: Mapping[str, Want]) -> None:
        known = {column.name: column for column in self.columns}
        for name, want in names.items():
            if name not in known:
                raise DataError(
                    f"{self._shown()}: no column {plain(name)}",
                    path_text(nearest(name, list(known))) or f"it has {listed(known)}",
                )
            dtype = known[name].dtype
            if want and self._parts[0].typed and not known[name].numeric and dtype != "null":
                named = f": column {plain(name)}" if name else ":"
                raise DataError(
                    f"{self._shown()}{named} holds {dtype}, not numbers",
                    "name a column of numbers",
                )
        if self._parts[0].typed:
            for part in self._parts[1:]:
                _same_columns(self._parts[0], part, names)

    def _shown(self) -> str:
        return self._parts[0].name if len(self._files) == 1 else path_text(self.source)


def _merged(parts: list[Part]) -> tuple[Column, ...]:
    """The columns of the whole: lists that differ between parts have no one length."""
    shapes: dict[str, set[tuple[int, ...] | None]] = {}
    for part in parts:
        for column in part.columns:
            shapes.setdefault(column.name, set()).add(column.shape)
    return tuple(
        column._replace(shape=column.shape if len(shapes[column.name]) == 1 else None)
        for column in parts[0].columns
    )


def _same_names(first: Part, part: Part) -> None:
    expected = {column.name for column in first.columns}
    found = {column.name for column in part.columns}
    lacking = [column.name for column in first.columns if column.name not in found]
    extra = [column.name for column in part.columns if column.name not in expected]
    if first.sparse or not (lacking or extra):
        return
    what = f"lacks column {listed(lacking)}" if lacking else f"has another column {listed(extra)}"
    raise DataError(
        f"{part.name}: {what}, unlike {first.name}",
        "the parts of a data set have the same columns",
    )


def _same_columns(first: Part, part: Part, names: Mapping[str, Want]) -> None:
    """Compare the columns that are read: their presence, and the type of numbers."""
    expected = {column.name: column for column in first.columns}
    found = {column.name: column for column in part.columns}
    for name, want in names.items():
        if name not in found:
            raise DataError(
                f"{part.name}: lacks column {plain(name)}, unlike {first.name}",
                "the parts of a data set have the same columns",
            )
        if not (want and first.typed):
            continue
        here, there = found[name], expected[name]
        known = want == Want.NUMBERS and None not in (here.shape, there.shape)
        differs = known and here.shape != there.shape
        if here.dtype != there.dtype or differs:
            named = f"column {plain(name)} " if name else ""
            raise DataError(
                f"{part.name}: {named}holds {_kind(here)}, in {first.name} {_kind(there)}",
                "write all parts with the same types and shapes",
            )


def _kind(column: Column) -> str:
    return f"{column.dtype} of shape {column.shape}" if column.shape else column.dtype
