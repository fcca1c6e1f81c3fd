"""CSV and TSV: blocks of records are split to fields by pyarrow, fields parsed by the workers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lossctl.errors import DataError
from lossctl.sources.delimitedhead import delimiter_of, read_head
from lossctl.sources.failures import reading
from lossctl.sources.files import File
from lossctl.sources.lines import line_of
from lossctl.sources.misfit import MisfitError
from lossctl.sources.parts import place_in
from lossctl.sources.peek import Peeked
from lossctl.sources.rebatch import Piece
from lossctl.sources.records import Records
from lossctl.sources.table import Arrays, Column, Format
from lossctl.sources.text import counted, shown
from lossctl.sources.textvalues import text_numbers, text_values

_ROW = re.compile(r"Row #(\d+)")


class DelimitedPart:
    """A CSV or TSV file."""

    separate = False
    typed = False
    sparse = False

    def __init__(self, file: File, delimiter: str, header: bool, told: bool) -> None:
        self.name = file.name
        self._file = file
        self._delimiter = delimiter
        self._header = header
        self._peeked = Peeked(file)
        head = read_head(self._peeked, self.name, delimiter, header, told)
        self._peeked.seen()
        self._kinds = head.kinds
        self._indices = {name: str(index) for index, name in enumerate(head.kinds)}
        self.columns: tuple[Column, ...] = head.columns
        self.rows: int | None = 0 if head.empty else None

    def pieces(self, names: Mapping[str, bool], rows: int) -> Iterator[Piece]:
        """Split blocks to fields, a few blocks ahead."""
        from lossctl.sources.ahead import ahead

        split = self._splitter(names)
        records = Records(self._peeked.chunks(), self._delimiter, self._header)
        row = 0
        with reading(self.name):
            try:
                for batch in ahead(split, iter(records)):
                    if batch is not None:
                        yield TextPiece(self, batch, row, names)
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
        return line_of(self._file, row + self._header, quoted=True)

    def close(self) -> None:
        """Let go of a pipe."""
        self._peeked.close()

    def kind(self, name: str) -> Any:
        """The type of the first values of a column."""
        return self._kinds[name]

    def _splitter(self, names: Mapping[str, bool]) -> Any:
        import pyarrow as pa
        from pyarrow import csv

        wanted = [self._indices[name] for name in names]
        convert = csv.ConvertOptions(
            include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string())
        )

        def split(block: bytes) -> Any:
            if not block.strip(b"\r\n"):
                return None
            ragged: list[Any] = []

            def note(row: Any) -> str:
                ragged.append(row)
                return "error"

            try:
                table = csv.read_csv(
                    pa.BufferReader(block),
                    # On one thread pyarrow counts the rows that its errors name.
                    read_options=csv.ReadOptions(
                        use_threads=False,
                        block_size=len(block) + 1,
                        column_names=list(self._indices.values()),
                    ),
                    parse_options=csv.ParseOptions(
                        delimiter=self._delimiter,
                        newlines_in_values=True,
                        invalid_row_handler=note,
                    ),
                    convert_options=convert,
                )
            except pa.ArrowInvalid as error:
                raise _misfit(error, ragged) from error
            table = table.rename_columns(list(names))
            batches = table.combine_chunks().to_batches()
            return batches[0] if batches else None

        return split


def _misfit(error: Exception, ragged: list[Any]) -> Exception:
    """Say what stopped pyarrow, and at which row of the block."""
    if ragged:
        bad = ragged[0]
        return MisfitError(
            bad.number - 1,
            f"{counted(bad.actual_columns, 'field')} instead of {bad.expected_columns}: "
            f"{shown(bad.text)}",
            "mend the row, or check --delimiter and the quotes",
        )
    where = _ROW.search(str(error))
    if where and "UTF8" in str(error):
        return MisfitError(
            int(where.group(1)) - 1,
            "text that is not UTF-8",
            "convert it to UTF-8, for example with iconv",
        )
    return error


class TextPiece:
    """Rows of a block, still text."""

    def __init__(self, part: DelimitedPart, batch: Any, first: int, names: Mapping[str, bool]):
        self.rows: int = batch.num_rows
        self._part = part
        self._batch = batch
        self._first = first
        self._names = names

    def slice(self, start: int, stop: int) -> TextPiece:
        """Narrow to some of its rows."""
        batch = self._batch.slice(start, stop - start)
        return TextPiece(self._part, batch, self._first + start, self._names)

    def load(self) -> Arrays:
        """Parse the columns."""
        arrays: Arrays = {}
        for name, number in self._names.items():
            parse = text_numbers if number else text_values
            try:
                with reading(self._part.name):
                    arrays[name] = parse(self._batch.column(name), self._part.kind(name))
            except MisfitError as error:
                raise error.located(self._part, self._first, name) from None
        return arrays


def open_part(file: File, format: Format, delimiter: str) -> DelimitedPart:
    """Open a CSV or TSV file.

    Args:
        file: The file.
        format: The user's options.
        delimiter: What the extension says.
    """
    told = format.delimiter is not None
    chosen = delimiter_of(format.delimiter) if format.delimiter is not None else delimiter
    return DelimitedPart(file, chosen, format.header, told)
