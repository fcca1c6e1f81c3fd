"""Where the batches of an Arrow file lie, read from its footer or from message to message.

pyarrow hands out whole batches only, and many writers put a whole table into one. So the few
fields needed of the format's FlatBuffers are read here: see "Encapsulated message format",
"IPC Streaming Format" and "IPC File Format" in the Arrow columnar specification.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from typing import NamedTuple

from lossctl.errors import DataError
from lossctl.sources.positional import Opened

_MAGIC = b"ARROW1"
_CONTINUED = b"\xff\xff\xff\xff"
_SCHEMA, _RECORD_BATCH = 1, 3  # kinds of messages


class Batch(NamedTuple):
    """A record batch in a file.

    Attributes:
        nodes: Length and nulls of each field and child field, in the order of the schema.
        buffers: The place in the file and the length of each buffer, in the same order.
    """

    rows: int
    nodes: list[tuple[int, ...]]
    buffers: list[tuple[int, int]]
    plain: bool  # as in memory here: not compressed, in our byte order


class _Table:
    """A table of FlatBuffers."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._fields = at - self._number("<i", at)

    @staticmethod
    def root(data: bytes) -> _Table:
        return _Table(data, struct.unpack_from("<I", data)[0])

    def number(self, index: int, form: str) -> int:
        """A number; absent ones are 0."""
        at = self._field(index)
        return self._number(form, at) if at else 0

    def table(self, index: int) -> _Table | None:
        """A table inside this one."""
        at = self._field(index)
        return _Table(self._data, at + self._number("<I", at)) if at else None

    def structs(self, index: int, form: str) -> list[tuple[int, ...]]:
        """A vector of structs."""
        at = self._field(index)
        if not at:
            return []
        start = at + self._number("<I", at)
        size = struct.calcsize(form)
        count = self._number("<I", start)
        end = start + 4 + count * size
        if end > len(self._data):
            raise struct.error("a vector reaches beyond the end")
        return list(struct.iter_unpack(form, self._data[start + 4 : end]))

    def _field(self, index: int) -> int:
        """Where a field stands; 0 where it is absent."""
        if 4 + 2 * index >= self._number("<H", self._fields):
            return 0
        offset = self._number("<H", self._fields + 4 + 2 * index)
        return self._at + offset if offset else 0

    def _number(self, form: str, at: int) -> int:
        if at < 0:
            raise struct.error("a reference before the beginning")
        return int(struct.unpack_from(form, self._data, at)[0])


def read_batches(opened: Opened, is_file: bool) -> list[Batch]:
    """Read where all batches lie; of the data itself nothing is read.

    Args:
        opened: The file.
        is_file: Whether it is in the file format, with a footer, or a stream in a file.
    """
    try:
        return list(_of_file(opened) if is_file else _of_stream(opened))
    except (struct.error, OverflowError, MemoryError):
        raise DataError(
            f"{opened.name}: is corrupt: it does not say where its data is", "write it again"
        ) from None


def _of_file(opened: Opened) -> Iterator[Batch]:
    size = opened.size()
    tail = opened.take(size - 10, 10)
    length = struct.unpack("<i", tail[:4])[0]
    if tail[4:] != _MAGIC or not 0 < length <= size - 10:
        raise DataError(f"{opened.name}: is no Arrow file, or was cut short", "write it again")
    footer = _Table.root(opened.take(size - 10 - length, length))
    native = _is_native(footer.table(1))
    # Block: offset, length of the metadata, four bytes of padding, length of the body.
    for offset, length, body in footer.structs(3, "<qi4xq"):
        if offset < 0 or length <= 8 or body < 0 or offset + length + body > size:
            raise struct.error("a block reaches beyond the end")
        head = opened.take(offset, length)
        # Since 0.15 a message begins with ff ff ff ff, then its length.
        message = _Table.root(head[8 if head.startswith(_CONTINUED) else 4 :])
        yield _batch(message, offset + length, body, native)


def _of_stream(opened: Opened) -> Iterator[Batch]:
    size, at, native = opened.size(), 0, True
    while True:
        prefix = opened.take(at, 8) if at + 8 <= size else b""
        start = 8 if prefix.startswith(_CONTINUED) else 4
        if len(prefix) < start:
            raise DataError(
                f"{opened.name}: the stream has no end mark: it was cut short, or its writer "
                "was interrupted",
                "write it again, and close the writer",
            )
        length = struct.unpack_from("<i", prefix, start - 4)[0]
        if length == 0:
            return
        if length < 0 or at + start + length > size:
            raise _cut_short(opened)
        message = _Table.root(opened.take(at + start, length))
        body = message.number(3, "<q")
        at += start + length
        if body < 0 or at + body > size:
            raise _cut_short(opened)
        kind = message.number(1, "<B")
        if kind == _SCHEMA:
            native = _is_native(message.table(2))
        elif kind == _RECORD_BATCH:
            yield _batch(message, at, body, native)
        at += body


def _cut_short(opened: Opened) -> DataError:
    return DataError(f"{opened.name}: was cut short in the middle of a batch", "write it again")


def _is_native(schema: _Table | None) -> bool:
    return schema is not None and schema.number(0, "<h") == (sys.byteorder != "little")


def _batch(message: _Table, start: int, body: int, native: bool) -> Batch:
    record = message.table(2)
    if record is None:
        raise struct.error("a message without a batch")
    buffers = record.structs(2, "<qq")
    if any(at < 0 or length < 0 or at + length > body for at, length in buffers):
        raise struct.error("a buffer reaches beyond its batch")
    return Batch(
        rows=record.number(0, "<q"),
        nodes=record.structs(1, "<qq"),
        buffers=[(start + at, length) for at, length in buffers],
        plain=native and record.table(3) is None,
    )
