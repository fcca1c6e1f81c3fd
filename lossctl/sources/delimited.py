"""CSV and TSV: blocks of whole records, a few at a time, each parsed on a thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from lossctl.errors import DataError
from lossctl.sources.convert import numbers
from lossctl.sources.delimitedfields import read_fields
from lossctl.sources.delimitedhead import delimiter_of, is_lone, read_head, zero_led
from lossctl.sources.failures import reading
from lossctl.sources.files import File
from lossctl.sources.lines import line_of
from lossctl.sources.misfit import MisfitError
from lossctl.sources.parts import place_in
from lossctl.sources.peek import Peeked
from lossctl.sources.rebatch import Piece
from lossctl.sources.records import Block, Records, is_blank
from lossctl.sources.table import Arrays, Column, Format, Want
from lossctl.sources.textvalues import read_as, text_values

_THREADS = 8


class Codes:
    """Which columns hold codes such as 007, text in all parts: as the first part begins."""

    def __init__(self) -> None:
        self._first: DelimitedPart | None = None
        self._known: dict[str, bool] = {}

    def follow(self, part: DelimitedPart) -> None:
        """Take the first part for the one that tells."""
        self._first = self._first or part

    def look(self, names: Mapping[str, Want]) -> None:
        """Find out about the columns of which any value serves, before a row is read."""
        ask = {name for name, want in names.items() if not want and name not in self._known}
        if ask and self._first is not None:
            found = self._first.zero_led(ask)
            self._known |= {name: name in found for name in ask}

    def __contains__(self, name: str) -> bool:
        return self._known.get(name, False)


class DelimitedPart:
    """A CSV or TSV file."""

    separate = False
    typed = False
    sparse = False

    def __init__(self, file: File, delimiter: str, header: bool, told: bool, codes: Codes) -> None:
        self.name = file.name
        self._file = file
        self._delimiter = delimiter
        self._header = header
        self._lone = False
        self.codes = codes
        self._peeked = Peeked(file)
        with self._peeked:
            try:
                head = read_head(self._peeked, self.name, delimiter, header, told)
            except MisfitError as error:
                self._lone = is_lone(self._peeked, delimiter)
                raise error.located(self, 0) from None
        self._kinds = head.kinds
        self._lone = head.lone
        codes.follow(self)
        self._indices = {name: str(index) for index, name in enumerate(head.kinds)}
        self.columns: tuple[Column, ...] = head.columns
        self.rows: int | None = 0 if head.empty else None

    def pieces(self, names: Mapping[str, Want], rows: int) -> Iterator[Piece]:
        """Parse blocks of records, a few ahead."""
        from lossctl.ordered import available_cores, ordered

        self.codes.look(names)
        split = self._splitter(names)
        row = 0
        with reading(self.name), closing(self._peeked.chunks()) as chunks:
            records = Records(chunks, self._delimiter, self._header, lone=self._lone)
            try:
                threads = min(_THREADS, available_cores())
                for batch in ordered(records, split, threads, waiting=2):
                    if batch is not None:
                        yield FieldsPiece(self, batch, names)
                        row += batch.num_rows
            except MisfitError as error:
                raise error.located(self, row) from None
        if records.broken:
            raise DataError(
                f"{place_in(self, row)}: {records.broken}", "check the quotes from here on"
            )

    def line(self, row: int) -> int | None:
        """The line at which a row begins."""
        if self._file.once:
            return None
        gaps = int(self._header) if self._lone else None
        return line_of(self._file, row + self._header, quoted=True, gaps=gaps)

    def close(self) -> None:
        """Let go of a pipe."""
        self._peeked.close()

    def kind(self, name: str) -> Any:
        """The type of the first values of a column."""
        return self._kinds[name]

    def zero_led(self, names: set[str]) -> set[str]:
        """Which of the columns of numbers have a value such as 007 among the first rows."""
        import pyarrow as pa

        types = pa.types
        known = self._kinds
        ask = {n for n in names if types.is_integer(known[n]) or types.is_floating(known[n])}
        if not ask:
            return set()
        with reading(self.name), self._peeked:
            return set(zero_led(self._peeked, self._delimiter, self._header, list(known), ask))

    def _splitter(self, names: Mapping[str, Want]) -> Any:
        from pyarrow import csv

        types = {self._indices[name]: self._type(name, bool(want)) for name, want in names.items()}
        convert = csv.ConvertOptions(include_columns=list(types), column_types=types)
        known = list(self._indices)

        def split(block: Block) -> Any:
            if not self._lone and is_blank(block):
                return None
            read = csv.ReadOptions(column_names=list(self._indices.values()))
            try:
                table = read_fields(block, self._delimiter, read, convert, lone=self._lone)
            except MisfitError as error:
                error.column = known[int(error.column)] if error.column else None
                raise
            return next(iter(table.rename_columns(list(names)).combine_chunks().to_batches()), None)

        return split

    def _type(self, name: str, number: bool) -> Any:
        """What a column is read as: never as what the first rows alone suggest, but truths."""
        import pyarrow as pa

        if not number:
            return read_as(self._kinds[name])
        return pa.bool_() if pa.types.is_boolean(self._kinds[name]) else pa.float64()


class FieldsPiece:
    """Rows of a block: numbers, and text of which any value serves."""

    def __init__(self, part: DelimitedPart, batch: Any, names: Mapping[str, Want]) -> None:
        self.rows: int = batch.num_rows
        self._part = part
        self._batch = batch
        self._names = names

    def slice(self, start: int, stop: int) -> FieldsPiece:
        """Narrow to some of its rows."""
        return FieldsPiece(self._part, self._batch.slice(start, stop - start), self._names)

    def load(self) -> Arrays:
        """Convert the columns."""
        with reading(self._part.name):
            return {
                name: numbers(self._batch.column(name), ())
                if want
                else text_values(
                    self._batch.column(name), self._part.kind(name), name in self._part.codes
                )
                for name, want in self._names.items()
            }


def open_part(file: File, format: Format, delimiter: str, codes: Codes) -> DelimitedPart:
    """Open a CSV or TSV file.

    Args:
        file: The file.
        format: The user's options.
        delimiter: What the extension says.
        codes: What is the same for all parts of the data set.
    """
    told = format.delimiter is not None
    chosen = delimiter_of(format.delimiter) if format.delimiter is not None else delimiter
    return DelimitedPart(file, chosen, format.header, told, codes)
