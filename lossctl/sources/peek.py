"""A stream whose beginning is looked at before it is read."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from lossctl.errors import DataError
from lossctl.ordered import ahead
from lossctl.sources.failures import reading
from lossctl.sources.files import File

_CHUNK = 1 << 20  # of 256 KB to 8 MB, measured, the least that is as fast as any for CSV


class Peeked:
    """The unpacked bytes of a file or pipe, with a view of the first of them."""

    def __init__(self, file: File) -> None:
        self.ended = False
        self._file = file
        self._head = b""
        self._stream: Any = None
        self._started = False

    def look(self, size: int) -> bytes:
        """The first bytes, as many as asked for unless the data ends before."""
        with reading(self._file.name):
            if self._stream is None:
                self._stream = self._file.stream()
            while len(self._head) < size and not self.ended:
                more = _filled(self._stream, size - len(self._head))
                self.ended = not more
                self._head += more
        return self._head[:size]

    def __enter__(self) -> Peeked:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """End the look: a file is closed, a pipe kept, for it cannot be opened again."""
        if not self._file.once or error is not None:
            self.close()
            self._head, self.ended = b"", False  # it may be looked at again

    def chunks(self) -> Generator[bytes]:
        """All bytes, from the first; of a pipe only once."""
        if self._file.once:
            if self._started:
                raise DataError(
                    f"{self._file.name} can be read only once", "save it to a file and name that"
                )
            self._started = True
            head, self._head = self._head, b""
            if head:
                yield head
            yield from _read(self._stream)
            return
        stream = self._file.stream()
        chunks = _read(stream)
        try:
            # Unpacking takes as long as parsing.
            yield from ahead(chunks) if self._file.compression else chunks
        finally:
            stream.close()

    def close(self) -> None:
        """Close what is open."""
        if self._stream is not None:
            self._file.release(self._stream)
            self._stream = None


def _read(stream: Any) -> Iterator[bytes]:
    while chunk := _filled(stream, _CHUNK):
        yield chunk


def _filled(stream: Any, size: int) -> bytes:
    """So many bytes, fewer at the end.

    A buffered `read` goes on from one piece of a pipe to the next without a look at signals,
    and an interrupt between them would wait for data that may never come.
    """
    read = getattr(stream, "read1", stream.read)
    pieces: list[bytes] = []
    while size > 0 and (piece := read(size)):
        pieces.append(bytes(piece))
        size -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
