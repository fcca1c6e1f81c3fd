"""NPZ archives: each array a column with a length of its own, unpacked as it is read."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import IO, Any

from lossctl.errors import DataError
from lossctl.sources.failures import reading
from lossctl.sources.files import File
from lossctl.sources.npy import range_pieces, stream_pieces
from lossctl.sources.npyheader import Header, check_size, columns_of, read_header, refusal
from lossctl.sources.positional import Opened
from lossctl.sources.rebatch import Piece
from lossctl.sources.table import Arrays, Column, Format, Want
from lossctl.sources.text import counted, plain

_SUFFIX = ".npy"


class NpzPart:
    """An NPZ archive."""

    separate = True
    typed = True
    sparse = False

    def __init__(self, file: File) -> None:
        if file.once:
            raise DataError(
                f"{file.name}: an NPZ archive cannot be read from a pipe",
                "save it to a file and name that, or send one array with numpy.save",
            )
        self.name = file.name
        self._file = file
        self._headers: dict[str, Header] = {}
        self._offsets: dict[str, int] = {}
        columns: list[Column] = []
        with self._archive() as archive:
            for member in archive.namelist():
                if not member.endswith(_SUFFIX):
                    continue
                name = member.removesuffix(_SUFFIX)
                if name in self._headers:
                    raise DataError(f"{self.name}: two arrays are named {plain(name)}", "")
                header = self._inspect(archive, member)
                self._headers[name] = header
                columns.extend(columns_of(header, name))
        if not columns:
            raise DataError(f"{self.name}: no arrays", "write it with numpy.savez")
        self.columns = tuple(columns)
        lengths = {header.rows for header in self._headers.values() if header.shape}
        self.rows = lengths.pop() if len(lengths) == 1 else None

    def pieces(self, names: Mapping[str, Want], rows: int) -> Iterator[Piece]:
        """Unpack the arrays side by side."""
        wanted = self._wanted(names)
        self._check(wanted)
        with ExitStack() as stack:
            archive = stack.enter_context(self._archive())
            readers = [
                self._reader(stack, archive, name, fields, rows) for name, fields in wanted.items()
            ]
            # Not zip: each reader checks its own end when it is asked once more.
            while True:
                row = [next(reader, None) for reader in readers]
                found = [piece for piece in row if piece is not None]
                if not found:
                    return
                yield found[0] if len(found) == 1 else SideBySide(found)

    def line(self, row: int) -> int | None:
        """An array has no lines."""
        return None

    def close(self) -> None:
        """Nothing is held between readings."""

    @contextmanager
    def _archive(self) -> Iterator[zipfile.ZipFile]:
        with reading(self.name), self._file.binary() as stream:
            try:
                with zipfile.ZipFile(stream) as archive:
                    yield archive
            except RuntimeError as error:  # the way of zipfile to say: encrypted
                raise DataError(f"{self.name}: {error}", "write it with numpy.savez") from error

    def _inspect(self, archive: zipfile.ZipFile, member: str) -> Header:
        shown = f"{self.name}, array {plain(member.removesuffix(_SUFFIX))}"
        with reading(shown), archive.open(member) as stream:
            header = read_header(stream, shown)
            self._offsets[member.removesuffix(_SUFFIX)] = stream.tell()
            if not refusal(header):
                held = archive.getinfo(member).file_size - stream.tell()
                check_size(header, held, shown)
        return header

    def _wanted(self, names: Mapping[str, Want]) -> dict[str, dict[str, Want]]:
        """Sort the columns by array: fields of records are read together."""
        wanted: dict[str, dict[str, Want]] = {}
        for name, number in names.items():
            array = name if name in self._headers else name.rpartition(".")[0]
            wanted.setdefault(array, {})[name] = number
        return wanted

    def _check(self, wanted: Mapping[str, object]) -> None:
        for name in wanted:
            why = refusal(self._headers[name])
            if why:
                raise DataError(f"{self.name}, array {plain(name)}: {why}", "name another array")
        lengths = {name: self._headers[name].rows for name in wanted}
        if len(set(lengths.values())) > 1:
            held = ", ".join(
                f"{plain(name)} has {counted(rows, 'row')}" for name, rows in lengths.items()
            )
            raise DataError(f"{self.name}: {held}", "arrays read together have the same length")

    def _reader(
        self,
        stack: ExitStack,
        archive: zipfile.ZipFile,
        name: str,
        fields: Mapping[str, Want],
        rows: int,
    ) -> Iterator[Piece]:
        header = self._headers[name]
        shown = f"{self.name}, array {plain(name)}"
        with reading(shown):
            stream = stack.enter_context(archive.open(name + _SUFFIX))
            if header.columnwise:
                opened = Opened(_spooled(stream), shown)
                ranges = range_pieces(opened, header, self._offsets[name], fields, rows, name)
                return _cut(ranges, rows)
            stream.read(self._offsets[name])
        return stream_pieces(stream, header, fields, rows, shown, name)


class SideBySide:
    """The same rows of several arrays."""

    def __init__(self, pieces: list[Piece]) -> None:
        self.rows = pieces[0].rows
        self._pieces = pieces

    def slice(self, start: int, stop: int) -> SideBySide:
        """Narrow to some of the rows."""
        return SideBySide([piece.slice(start, stop) for piece in self._pieces])

    def load(self) -> Arrays:
        """Convert them all."""
        arrays: Arrays = {}
        for piece in self._pieces:
            arrays |= piece.load()
        return arrays


def _cut(pieces: Iterator[Piece], rows: int) -> Iterator[Piece]:
    """Make pieces as long as those of the streams beside them."""
    for piece in pieces:
        for start in range(0, piece.rows, rows):
            yield piece.slice(start, min(piece.rows, start + rows))


def _spooled(stream: IO[bytes]) -> Any:
    """Unpack to an unnamed temporary file: the values of a row lie too far apart to stream."""
    import shutil
    import tempfile

    target = tempfile.TemporaryFile(prefix="lossctl-")  # noqa: SIM115 (closed by its reader)
    shutil.copyfileobj(stream, target, 1 << 20)
    target.flush()
    return target


def open_part(file: File, format: Format) -> NpzPart:
    """Open an NPZ archive."""
    return NpzPart(file)
