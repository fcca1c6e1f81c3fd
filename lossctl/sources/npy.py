"""NPY files: read by position on the worker threads, or as a stream from a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from lossctl.errors import DataError
from lossctl.sources.failures import reading
from lossctl.sources.files import File
from lossctl.sources.npyheader import Header, check_size, columns_of, read_header, refusal
from lossctl.sources.npyvalues import arrays_of
from lossctl.sources.positional import Opened
from lossctl.sources.rebatch import Piece
from lossctl.sources.table import Column, Format, Want

if TYPE_CHECKING:
    import numpy.typing as npt

    from lossctl.sources.table import Arrays

    Array = npt.NDArray[Any]

# So much of an array in Fortran order is read at once, so that reads stay long.
_COLUMNWISE_BYTES = 8 << 20


class NpyPart:
    """An NPY file."""

    separate = False
    typed = True
    sparse = False

    def __init__(self, file: File, prefix: str = "") -> None:
        self.name = file.name
        self._file = file
        with reading(file.name):
            stream = file.binary()
        self._stream: Any = stream if file.once else None
        try:
            self._header = read_header(stream, file.name)
            why = refusal(self._header)
            if why:
                raise DataError(f"{file.name}: {why}", _WAY_OUT)
            if not file.once:
                self._offset = stream.tell()
                size = Opened(stream, file.name).size()
                check_size(self._header, size - self._offset, file.name)
            elif self._header.columnwise:
                raise DataError(
                    f"{file.name}: an array in Fortran order cannot be read from a pipe",
                    "save it with numpy.save(path, numpy.ascontiguousarray(array)), or name "
                    "the file",
                )
        except BaseException:
            file.release(stream)
            raise
        self.rows: int | None = self._header.rows
        self.columns: tuple[Column, ...] = columns_of(self._header)

    def pieces(self, names: Mapping[str, Want], rows: int) -> Iterator[Piece]:
        """Describe the rows; they are read when a worker loads them, a pipe at once."""
        if self._stream is not None:
            return stream_pieces(self._stream, self._header, names, rows, self.name)
        with reading(self.name):
            opened = Opened(self._file.binary(), self.name)
        return range_pieces(opened, self._header, self._offset, names, rows)

    def line(self, row: int) -> int | None:
        """An array has no lines."""
        return None

    def close(self) -> None:
        """Close a pipe; of a file the pieces take care."""
        if self._stream is not None:
            self._file.release(self._stream)


_WAY_OUT = "save a plain array of numbers, with numpy.save(path, array.astype(float))"


class Range:
    """Rows of an array in a file."""

    def __init__(
        self,
        source: RowMajor | ColumnMajor,
        start: int,
        stop: int,
        names: Mapping[str, Want],
        prefix: str,
    ) -> None:
        self.rows = stop - start
        self._source = source
        self._start = start
        self._names = names
        self._prefix = prefix

    def slice(self, start: int, stop: int) -> Range:
        """Narrow to some of its rows."""
        begin = self._start
        return Range(self._source, begin + start, begin + stop, self._names, self._prefix)

    def load(self) -> Arrays:
        """Read them."""
        raw = self._source.read(self._start, self._start + self.rows)
        return arrays_of(raw, self._names, self._prefix)


class RowMajor:
    """An array whose rows lie one after the other."""

    def __init__(self, opened: Opened, header: Header, offset: int) -> None:
        self._opened = opened
        self._header = header
        self._offset = offset

    def read(self, start: int, stop: int) -> Array:
        """Read rows into fresh memory."""
        import numpy as np

        header = self._header
        raw = np.empty((stop - start, *header.shape[1:]), header.dtype)
        self._opened.fill(raw, self._offset + start * header.row_bytes)
        return raw


class ColumnMajor:
    """A range of rows of an array whose columns lie one after the other.

    The range is longer than a slab where slabs are small, and is read by the first worker
    that wants rows of it.
    """

    def __init__(self, opened: Opened, header: Header, offset: int, start: int, stop: int) -> None:
        self._opened = opened
        self._header = header
        self._offset = offset
        self._start = start
        self._stop = stop
        self._lock = Lock()
        self._held: Array | None = None

    def read(self, start: int, stop: int) -> Array:
        """Take rows out of the range."""
        with self._lock:
            if self._held is None:
                self._held = self._whole()
        return self._held[start - self._start : stop - self._start]

    def _whole(self) -> Array:
        import numpy as np

        header = self._header
        inner = header.shape[:0:-1]
        flat = np.empty((int(np.prod(inner)), self._stop - self._start), header.dtype)
        for index, column in enumerate(flat):
            first = index * header.rows + self._start
            self._opened.fill(column, self._offset + first * header.dtype.itemsize)
        turned = flat.reshape(*inner, self._stop - self._start).transpose()
        return np.ascontiguousarray(turned)


def range_pieces(
    opened: Opened,
    header: Header,
    offset: int,
    names: Mapping[str, Want],
    rows: int,
    prefix: str = "",
) -> Iterator[Piece]:
    """Cut an array in a file into ranges of rows that are read later."""
    if not header.columnwise:
        if header.rows:
            yield Range(RowMajor(opened, header, offset), 0, header.rows, names, prefix)
        return
    step = rows * max(1, _COLUMNWISE_BYTES // max(1, header.row_bytes) // rows)
    for start in range(0, header.rows, step):
        stop = min(header.rows, start + step)
        yield Range(ColumnMajor(opened, header, offset, start, stop), start, stop, names, prefix)


class Held:
    """Rows in memory."""

    def __init__(self, raw: Array, names: Mapping[str, Want], prefix: str) -> None:
        self.rows = len(raw)
        self._raw = raw
        self._names = names
        self._prefix = prefix

    def slice(self, start: int, stop: int) -> Held:
        """Narrow to some of its rows."""
        return Held(self._raw[start:stop], self._names, self._prefix)

    def load(self) -> Arrays:
        """Convert them."""
        return arrays_of(self._raw, self._names, self._prefix)


def stream_pieces(
    stream: Any, header: Header, names: Mapping[str, Want], rows: int, name: str, prefix: str = ""
) -> Iterator[Piece]:
    """Read an array from a stream, a slab at a time."""
    for start in range(0, header.rows, rows):
        raw = _next_rows(stream, header, start, min(rows, header.rows - start), name)
        yield Held(raw, names, prefix)
    with reading(name):
        if stream.read(1):
            raise DataError(
                f"{name}: more bytes than the {header.rows} rows of the header",
                "send one array",
            )


def _next_rows(stream: Any, header: Header, start: int, rows: int, name: str) -> Array:
    import numpy as np

    raw = np.empty((rows, *header.shape[1:]), header.dtype)
    if not raw.nbytes:
        return raw
    view = raw.reshape(-1).view(np.uint8).data
    done = 0
    with reading(name):
        while done < len(view):
            read = stream.readinto(view[done:])
            if not read:
                held = start + done // header.row_bytes
                raise DataError(
                    f"{name}: the header says {header.rows} rows, only {held} came",
                    "it was cut short: write it again",
                )
            done += read
    return raw


def open_part(file: File, format: Format) -> NpyPart:
    """Open an NPY file."""
    return NpyPart(file)
