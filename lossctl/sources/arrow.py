"""Arrow IPC files (Feather version 2 is one) and streams."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from threading import Lock
from typing import Any

from lossctl.errors import DataError
from lossctl.sources.arrowfooter import Batch, read_batches
from lossctl.sources.arrowranges import can_cut, stored
from lossctl.sources.arrowtypes import column_of, fixed_shape
from lossctl.sources.batches import ArrowPiece, converted, shape_in, unique
from lossctl.sources.convert import Shape, row_shape
from lossctl.sources.failures import reading
from lossctl.sources.files import File
from lossctl.sources.lists import Wants
from lossctl.sources.peek import Peeked
from lossctl.sources.positional import Opened
from lossctl.sources.rebatch import Piece
from lossctl.sources.table import Arrays, Column, Format

_FILE = b"ARROW1\0\0"
_FEATHER_1 = b"FEA1"
_PEEK_ROWS = 256
_TAIL = 8

Cut = Callable[[str, int, int], Any]
"""Gives some rows of a batch's column, by its name, as an Arrow array."""


def open_part(file: File, format: Format) -> ArrowFile | ArrowStream:
    """Open an Arrow file or stream, whichever its first bytes say."""
    peeked = Peeked(file)
    with peeked:
        magic = peeked.look(len(_FILE))
        if magic.startswith(_FEATHER_1):
            raise DataError(
                f"{file.name}: Feather version 1 is not read",
                "write it again with pyarrow.feather.write_feather, or as Parquet",
            )
        if not magic:
            raise DataError(f"{file.name}: is empty", "write it again")
    if not file.once:
        return ArrowFile(file, magic == _FILE)
    # From a pipe a file is read as the stream that it holds after its magic bytes.
    return ArrowStream(file, peeked, len(_FILE) if magic == _FILE else 0)


class ArrowFile:
    """An Arrow file, or a stream that was saved to a file."""

    separate = False
    typed = True
    sparse = False

    def __init__(self, file: File, is_file: bool) -> None:
        self.name = file.name
        self._file = file
        self._is_file = is_file
        with reading(self.name):
            self._schema = self._reader([]).schema
            unique(self._schema.names, self.name)
            self._batches = read_batches(self._open(), is_file)
            self._plain = all(batch.plain for batch in self._batches)
            self.rows: int | None = sum(batch.rows for batch in self._batches)
            self.columns = tuple(self._described(field) for field in self._schema)

    def pieces(self, names: Wants, rows: int) -> Iterator[Piece]:
        """Describe the rows of batches, or unpack one batch after the other."""
        with reading(self.name):
            first = 0
            if self._is_file or (self._plain and can_cut(self._schema, list(names))):
                for batch, cut in zip(self._batches, self._cuts(list(names)), strict=True):
                    yield FilePiece(self, cut, names, (first, 0, batch.rows))
                    first += batch.rows
                return
            for whole in self._wholes(list(names)):
                whole.validate(full=True)
                yield ArrowPiece(self, whole, first, names)
                first += whole.num_rows

    def line(self, row: int) -> int | None:
        """Arrow has no lines."""
        return None

    def close(self) -> None:
        """Nothing is held: pieces own the file."""

    def _open(self) -> Opened:
        return Opened(self._file.binary(), self.name)

    def _cuts(self, names: list[str]) -> Iterator[Cut]:
        """For each batch what gives the rows of its columns: read by position, or unpacked."""
        if self._plain and can_cut(self._schema, names):
            opened = self._open()
            for batch in self._batches:
                yield partial(self._read, opened, batch)
            return
        # Batches are unpacked on as many threads as there are: columns on more would contend.
        readers = Readers(partial(self._reader, names, threads=len(self._batches) == 1))
        for index in range(len(self._batches)):
            yield Packed(readers, index).cut

    def _read(self, opened: Opened, batch: Batch, name: str, start: int, stop: int) -> Any:
        return stored(self._schema, name, batch).cut(opened, start, stop)

    def _reader(self, names: list[str], *, threads: bool = True) -> Any:
        from pyarrow import ipc

        fields = [self._schema.get_field_index(name) for name in names]
        options = ipc.IpcReadOptions(included_fields=fields, use_threads=threads)
        start = ipc.open_file if self._is_file else ipc.open_stream
        return start(self._file.random(), options=options)

    def _wholes(self, names: list[str]) -> Iterator[Any]:
        reader = self._reader(names)
        for index in range(len(self._batches)):
            yield reader.get_batch(index) if self._is_file else reader.read_next_batch()

    def _described(self, field: Any) -> Column:
        shape = fixed_shape(field.type)
        if shape is None and self.rows:
            shape = self._peeked(field.name)
        return column_of(field.name, field.type, shape)

    def _peeked(self, name: str) -> tuple[int, ...] | None:
        """The shape of the first lists, if there are as many values as if all were like them."""
        full = [batch for batch in self._batches if batch.rows]
        known = can_cut(self._schema, [name])
        if known and full[0].plain:
            stop = min(_PEEK_ROWS, full[0].rows)
            shape = row_shape(self._read(self._open(), full[0], name, 0, stop))
        else:
            whole = next(whole for whole in self._wholes([name]) if whole.num_rows)
            shape = row_shape(whole.column(name).slice(0, _PEEK_ROWS))
        if shape is None or not known:
            return shape
        fits = all(stored(self._schema, name, batch).may_have(shape) for batch in full)
        return shape if fits else None


class FilePiece:
    """Rows of a batch in a file, read when a worker loads them."""

    def __init__(self, part: ArrowFile, cut: Cut, names: Wants, rows: tuple[int, int, int]) -> None:
        self._first, self._start, self._stop = rows
        self.rows = self._stop - self._start
        self._part = part
        self._cut = cut
        self._names = names

    def slice(self, start: int, stop: int) -> FilePiece:
        """Narrow to some of its rows."""
        rows = self._first, self._start + start, self._start + stop
        return FilePiece(self._part, self._cut, self._names, rows)

    def load(self) -> Arrays:
        """Read and convert the columns that are wanted."""
        first = self._first + self._start
        return converted(self._part, self._column, first, self._names, self._names.shapes)

    def first_shape(self, name: str) -> Shape:
        """The shape of a column's first list, read a few rows at a time."""
        for start in range(self._start, self._stop, _PEEK_ROWS):
            with reading(self._part.name):
                array = self._cut(name, start, min(start + _PEEK_ROWS, self._stop))
            shape = shape_in(self._part, array, self._first + start, name)
            if shape is not None:
                return shape
        return None

    def _column(self, name: str) -> Any:
        return self._cut(name, self._start, self._stop)


class Readers:
    """Readers of one file, of which each serves one thread at a time."""

    def __init__(self, start: Callable[[], Any]) -> None:
        self._start = start
        self._idle: deque[Any] = deque()

    def batch(self, index: int) -> Any:
        """Unpack a batch."""
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = self._start()
        batch = reader.get_batch(index)
        batch.validate(full=True)
        self._idle.append(reader)
        return batch


class Packed:
    """A batch that is unpacked when its first rows are wanted."""

    def __init__(self, readers: Readers, index: int) -> None:
        self._readers = readers
        self._index = index
        self._lock = Lock()
        self._batch: Any = None

    def cut(self, name: str, start: int, stop: int) -> Any:
        """Some rows of a column; those of one slab, and then those of the next."""
        with self._lock:
            if self._batch is None:
                self._batch = self._readers.batch(self._index)
        return self._batch.column(name).slice(start, stop - start)


class ArrowStream:
    """An Arrow stream from a pipe: what it holds shows as it is read."""

    separate = False
    typed = True
    sparse = False

    def __init__(self, file: File, peeked: Peeked, skip: int) -> None:
        self.name = file.name
        self.rows: int | None = None
        self._peeked = peeked
        self._skip = skip
        with reading(self.name):
            self._reader, self._first = self._start()
            schema = self._reader.schema
            unique(schema.names, self.name)
            self.columns = tuple(_column(field, self._first) for field in schema)

    def pieces(self, names: Wants, rows: int) -> Iterator[Piece]:
        """Read one batch after the other."""
        with reading(self.name):
            batch, self._first = self._first, None
            row = 0
            while batch is not None:
                batch = batch.select(list(names))
                batch.validate(full=True)
                yield ArrowPiece(self, batch, row, names)
                row += batch.num_rows
                batch = _next(self._reader)
            self._check_end()

    def line(self, row: int) -> int | None:
        """Arrow has no lines."""
        return None

    def close(self) -> None:
        """Let go of a pipe."""
        self._peeked.close()
        self._first = None

    def _start(self) -> tuple[Any, Any]:
        import pyarrow as pa
        from pyarrow import ipc

        self._replay = Replay(self._peeked.chunks())
        source = pa.PythonFile(self._replay, mode="r")
        source.read(self._skip)
        try:
            reader = ipc.open_stream(source)
        except ValueError as error:
            raise DataError(
                f"{self.name}: is no Arrow data, or was cut short", "write it again"
            ) from error
        return reader, _next(reader)

    def _check_end(self) -> None:
        """Refuse a stream whose writer was interrupted between two batches."""
        if not self._replay.tail.endswith(b"\0\0\0\0"):
            raise DataError(
                f"{self.name}: the stream has no end mark: its writer was interrupted",
                "write it again, and close the writer",
            )


class Replay:
    """A file for pyarrow to read from chunks; it remembers the last bytes it gave."""

    closed = False

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self.tail = b""

    def read(self, size: int) -> bytes:
        """Read so many bytes; fewer only at the end."""
        pieces: list[memoryview] = []
        while size > 0:
            if not self._rest:
                self._rest = memoryview(next(self._chunks, b""))
                if not self._rest:
                    break
            pieces.append(self._rest[:size])
            self._rest = self._rest[size:]
            size -= len(pieces[-1])
        taken = b"".join(pieces)
        self.tail = (self.tail + taken[-_TAIL:])[-_TAIL:]
        return taken


def _next(reader: Any) -> Any:
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None


def _column(field: Any, first: Any) -> Column:
    shape = fixed_shape(field.type)
    if shape is None and first is not None:
        shape = row_shape(first.column(field.name).slice(0, _PEEK_ROWS))
    return column_of(field.name, field.type, shape)
