"""Parquet files, a few pages at a time whatever the size of their row groups."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from lossctl.errors import DataError
from lossctl.ordered import available_cores, ordered
from lossctl.sources.arrowtypes import column_of, fixed_shape, is_list, is_number, is_text, storage
from lossctl.sources.batches import ArrowPiece, unique
from lossctl.sources.convert import row_shape
from lossctl.sources.failures import reading
from lossctl.sources.files import File
from lossctl.sources.lists import Wants
from lossctl.sources.rebatch import Piece
from lossctl.sources.table import Column, Format

_BATCH_BYTES = 8 << 20  # decoded, of all columns that are read
_BUFFER_BYTES = 32 << 20  # for all columns together; each reads ahead in a buffer of its own
_BUFFER = 128 << 10  # at most, which stays in the cache
_REMOTE_BUFFER = 1 << 20  # at most, where each read is a request
_PEEK_BYTES = 1 << 20
_AHEAD_BYTES = 64 << 20  # decoded, of row groups that are held whole


class ParquetPart:
    """A Parquet file."""

    separate = False
    typed = True
    sparse = False

    def __init__(self, file: File) -> None:
        self.name = file.name
        self._file = file
        self._pipe: Any = None
        with reading(self.name):
            handle = file.random()
            try:
                opened = self._open(handle, None)
                self._metadata = opened.metadata
                self._schema = opened.schema_arrow
                unique(self._schema.names, self.name)
                self.rows: int | None = self._metadata.num_rows
                self._leaves = _leaves(self._metadata)
                self.columns = tuple(self._described(opened, field) for field in self._schema)
            except BaseException:
                handle.close()
                raise
        if file.once:
            self._pipe = handle
        else:
            handle.close()

    def pieces(self, names: Wants, rows: int) -> Iterator[Piece]:
        """Decode batches in order."""
        with reading(self.name):
            handle = self._pipe or self._file.random()
            try:
                yield from self._batches(handle, names, rows)
            finally:
                if handle is not self._pipe:
                    handle.close()

    def line(self, row: int) -> int | None:
        """Parquet has no lines."""
        return None

    def close(self) -> None:
        """Drop what a pipe sent."""
        if self._pipe is not None:
            self._pipe.close()

    def _batches(self, handle: Any, names: Wants, rows: int) -> Iterator[Piece]:
        size = max(1, min(rows, _BATCH_BYTES // self._row_bytes(names)))
        first = 0
        for batch in self._decoded(handle, names, size):
            yield ArrowPiece(self, batch, first, names)
            first += batch.num_rows
        if first != self.rows:
            raise DataError(
                f"{self.name}: the footer says {self.rows} rows, the file holds {first}",
                "it is damaged: write it again",
            )

    def _decoded(self, handle: Any, names: Wants, rows: int) -> Iterator[Any]:
        """Record batches of so many rows, in order: columns side by side, or row groups."""
        columns = list(names)
        coded = [name for name in names if not names[name] and self._coded(name)]
        leaves = len(self._stored(names))

        def decoded(groups: list[int]) -> list[Any]:
            with self._file.random() as own:
                opened = self._open(own, self._metadata, leaves, coded)
                return list(opened.iter_batches(rows, groups, columns, use_threads=False))

        runs, lanes = self._lanes(names)
        if lanes > 1:
            for batches in ordered(runs, decoded, lanes):
                yield from batches
        else:
            opened = self._open(handle, self._metadata, leaves, coded)
            yield from opened.iter_batches(rows, columns=columns, use_threads=True)

    def _lanes(self, names: Wants) -> tuple[list[list[int]], int]:
        """Runs of row groups, and how many of them to decode side by side.

        It is 1 to decode columns side by side, as pyarrow does. That leaves cores idle where there
        are few columns, or one is much wider than the others.
        """
        if self._file.once or self._file.filesystem is not None:
            return [], 1  # a remote file would be opened anew for each run
        sizes = self._sizes(names)
        columns = sum(map(sum, sizes)) / max(1, max(map(sum, zip(*sizes)), default=0))
        runs: list[list[int]] = []
        held = largest = 0
        for group, size in enumerate(map(sum, sizes)):
            if not runs or held + size > _BATCH_BYTES:
                runs.append([])
                held = 0
            runs[-1].append(group)
            held += size
            largest = max(largest, held)
        cores = available_cores()
        lanes = min(cores, len(runs), _AHEAD_BYTES // max(1, largest) - 1)  # and one waits
        return runs, lanes if lanes >= 1.5 * min(columns, cores) else 1

    def _sizes(self, names: Iterable[str]) -> list[list[int]]:
        """The bytes of each stored column in each row group, about as they are decoded."""
        # dictionaries make chunks smaller than what they are decoded to
        return [
            [max(chunk.total_uncompressed_size, 8 * chunk.num_values) for chunk in chunks]
            for chunks in self._chunks(names)
        ]

    def _stored(self, names: Iterable[str]) -> list[int]:
        """The numbers of the stored columns that make up some columns."""
        return [leaf for name in names for leaf in self._leaves[name]]

    def _chunks(self, names: Iterable[str]) -> Iterator[list[Any]]:
        """What is known of the stored columns in each row group."""
        wanted = self._stored(names)
        for number in range(self._metadata.num_row_groups):
            group = self._metadata.row_group(number)
            yield [group.column(leaf) for leaf in wanted]

    def _coded(self, name: str) -> bool:
        """Whether a column is text that is stored by number, and is best read so.

        Text that is not takes 4 bytes a value for its length alone.
        """
        return is_text(self._schema.field(name).type) and all(
            chunk.has_dictionary_page and chunk.total_uncompressed_size < 4 * chunk.num_values
            for chunks in self._chunks([name])
            for chunk in chunks
        )

    def _open(self, handle: Any, metadata: Any, leaves: int = 1, coded: Iterable[str] = ()) -> Any:
        from pyarrow import parquet

        most = _BUFFER if self._file.filesystem is None else _REMOTE_BUFFER
        # pre_buffer would hold whole row groups; a buffer of 0 whole column chunks.
        return parquet.ParquetFile(
            handle,
            metadata=metadata,
            buffer_size=max(16 << 10, min(most, _BUFFER_BYTES // max(1, leaves))),
            pre_buffer=False,
            read_dictionary=list(coded),
            page_checksum_verification=True,
        )

    def _row_bytes(self, names: Iterable[str]) -> int:
        names = list(names)
        size: int = sum(
            chunk.total_uncompressed_size for chunks in self._chunks(names) for chunk in chunks
        )
        # dictionaries make chunks smaller than what they are decoded to
        return max(8 * len(self._stored(names)), -(-size // max(1, int(self._metadata.num_rows))))

    def _described(self, opened: Any, field: Any) -> Column:
        shape = fixed_shape(field.type)
        if shape is None and is_list(storage(field.type)) and is_number(field.type):
            shape = self._peeked(opened, field.name)
        return column_of(field.name, field.type, shape)

    def _peeked(self, opened: Any, name: str) -> tuple[int, ...] | None:
        """The shape of the first lists, if there are as many values as if all were like them."""
        if not self.rows:
            return None
        size = max(1, min(1024, _PEEK_BYTES // self._row_bytes([name])))
        batch = next(opened.iter_batches(size, columns=[name], use_threads=False))
        shape = row_shape(batch.column(name))
        if shape is None:
            return None
        for group in range(self._metadata.num_row_groups):
            chunks = self._metadata.row_group(group)
            held = sum(chunks.column(leaf).num_values for leaf in self._leaves[name])
            if held != math.prod(shape) * chunks.num_rows:
                return None
        return shape


def _leaves(metadata: Any) -> dict[str, list[int]]:
    """The numbers of the stored columns that make up each column of the schema."""
    leaves: dict[str, list[int]] = {}
    for index in range(metadata.num_columns):
        path = metadata.schema.column(index).path
        leaves.setdefault(path, []).append(index)
    by_name: dict[str, list[int]] = {}
    for name in metadata.schema.to_arrow_schema().names:
        by_name[name] = [
            index
            for path, indices in leaves.items()
            if path == name or path.startswith(name + ".")
            for index in indices
        ]
    return by_name


def open_part(file: File, format: Format) -> ParquetPart:
    """Open a Parquet file."""
    return ParquetPart(file)
