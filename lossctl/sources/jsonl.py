"""JSON lines: blocks of whole lines, a few at a time, each parsed on a thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

from lossctl.errors import DataError
from lossctl.sources.arrowtypes import column_of, is_list, is_number, is_time
from lossctl.sources.batches import converted, shape_in
from lossctl.sources.convert import Shape, row_shape
from lossctl.sources.failures import reading
from lossctl.sources.files import File
from lossctl.sources.jsonrows import Rows, Wanted, guess_types, parse_rows
from lossctl.sources.lines import line_of
from lossctl.sources.lists import Wants
from lossctl.sources.misfit import MisfitError
from lossctl.sources.peek import Peeked
from lossctl.sources.rebatch import Piece
from lossctl.sources.table import Arrays, Column, Format

_HEAD = 256 << 10
_LONGEST = 64 << 20
_THREADS = 8


class JsonPart:
    """A JSON lines file."""

    separate = False
    typed = False
    sparse = True

    def __init__(self, file: File) -> None:
        self.name = file.name
        self._file = file
        self._peeked = Peeked(file)
        with reading(self.name), self._peeked:
            head = self._head()
            try:
                self._kinds, batch = guess_types(head)
            except MisfitError as error:
                raise error.located(self, 0) from None
            self.columns: tuple[Column, ...] = tuple(
                column_of(name, number_type(kind), _shape(batch, name, kind))
                if is_number(kind)
                else column_of(name, kind, ())
                for name, kind in self._kinds.items()
            )
        self.rows: int | None = None

    def pieces(self, names: Wants, rows: int) -> Iterator[Piece]:
        """Parse blocks of lines, a few ahead."""
        from lossctl.ordered import available_cores, ordered

        wanted = [self._wanted(name, bool(want)) for name, want in names.items()]
        row = 0
        with reading(self.name), closing(self._peeked.chunks()) as chunks:
            try:
                for found in ordered(
                    _blocks(chunks),
                    partial(parse_rows, wanted=wanted),
                    min(_THREADS, available_cores()),
                ):
                    if found is not None:
                        yield JsonPiece(self, found, row, names)
                        row += found.batch.num_rows
            except MisfitError as error:
                raise error.located(self, row) from None

    def line(self, row: int) -> int | None:
        """The line at which a row stands."""
        return None if self._file.once else line_of(self._file, row, quoted=False)

    def close(self) -> None:
        """Let go of a pipe."""
        self._peeked.close()

    def _head(self) -> bytes:
        size = _HEAD
        while True:
            head = self._peeked.look(size)
            end = head.rfind(b"\n") + 1
            if len(head) < size or end or size > _LONGEST:
                break
            size *= 4
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        if not start:
            raise DataError(f"{self.name}: is empty", "give a file with at least one row")
        if start == b"[":
            raise DataError(
                f"{self.name}: begins with a list, not with an object",
                "a JSON lines file has one object on each line: jq -c '.[]' makes one of a list",
            )
        return head if len(head) < size else head[:end] or head

    def _wanted(self, name: str, number: bool) -> Wanted:
        import pyarrow as pa

        kind = self._kinds[name]
        if number:
            return Wanted(name, number_type(kind), True)
        # Text that looks like a date stays the text that it is.
        return Wanted(name, pa.string() if is_time(kind) or kind == pa.null() else kind, False)


def _blocks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut a stream after the last line break of each chunk."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        if len(rest) > _LONGEST:
            raise ValueError(f"a line longer than {_LONGEST >> 20} MB")
        if end:
            yield data[:end]
    if rest.strip():
        yield rest


def number_type(kind: Any) -> Any:
    """What numbers are read as: JSON has one type of them, whatever the first ones look like."""
    import pyarrow as pa

    if is_list(kind):
        return pa.list_(number_type(kind.value_type))
    return kind if pa.types.is_boolean(kind) else pa.float64()


def _shape(batch: Any, name: str, kind: Any) -> tuple[int, ...] | None:
    if not is_list(kind):
        return ()
    return None if batch is None else row_shape(batch.column(name))


class JsonPiece:
    """Parsed rows."""

    def __init__(self, part: JsonPart, rows: Rows, first: int, names: Wants) -> None:
        self.rows: int = rows.batch.num_rows
        self._part = part
        self._held = rows
        self._first = first
        self._names = names

    def slice(self, start: int, stop: int) -> JsonPiece:
        """Narrow to some of the rows."""
        batch = self._held.batch.slice(start, stop - start)
        mixed = {name: values[start:stop] for name, values in self._held.mixed.items()}
        return JsonPiece(self._part, Rows(batch, mixed), self._first + start, self._names)

    def load(self) -> Arrays:
        """Convert the columns that are wanted."""
        batch, mixed = self._held
        names = self._names
        plain = {name: want for name, want in names.items() if name not in mixed}
        return converted(self._part, batch.column, self._first, plain, names.shapes) | mixed

    def first_shape(self, name: str) -> Shape:
        """The shape of a column's first list."""
        return shape_in(self._part, self._held.batch.column(name), self._first, name)


def open_part(file: File, format: Format) -> JsonPart:
    """Open a JSON lines file."""
    return JsonPart(file)
