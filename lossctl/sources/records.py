"""From chunks of a CSV file to blocks of whole records.

pyarrow could do this too, but on a thread of its own, which a stalled pipe keeps from ending;
and blocks that are cut here are parsed on as many threads as there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_BOM = b"\xef\xbb\xbf"
_MOST = 64 << 20


class Records:
    """Cuts a stream of bytes after the last line break that no quotes enclose.

    Attributes:
        broken: Why the stream ended early, once it has: its last record is not whole.
    """

    def __init__(self, chunks: Iterator[bytes], delimiter: str, header: bool) -> None:
        self.broken = ""
        self._chunks = chunks
        self._delimiter = delimiter.encode()
        self._header = header

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        first = True
        for chunk in self._chunks:
            data = rest + chunk
            end = last_break(data, self._delimiter)
            rest = data[end:]
            if len(rest) > _MOST:
                self.broken = f"a row longer than {_MOST >> 20} MB, or a quote never closed"
                return
            if end:
                yield self._without_header(data[:end]) if first else data[:end]
                first = False
        if rest and not last_break(rest + b"\n", self._delimiter):
            self.broken = "a quote is opened and never closed"
            return
        if rest:
            yield self._without_header(rest) if first else rest

    def _without_header(self, block: bytes) -> bytes:
        block = block.removeprefix(_BOM)
        if not self._header:
            return block
        start = len(block) - len(block.lstrip(b"\r\n"))
        for found in re.finditer(rb"\n|\r(?!\n)", block[start:]):
            end = start + found.end()
            if last_break(block[start:end], self._delimiter) == end - start:
                return block[end:]
        return b""


def last_break(data: bytes, delimiter: bytes) -> int:
    """Where the last whole record ends; 0 if none does."""
    newline = b"\n" if b"\n" in data else b"\r"
    if b'"' not in data:
        return data.rfind(newline) + 1
    end = _by_parity(data, delimiter, newline)
    return _by_lexing(data, delimiter, newline) if end is None else end


def _by_parity(data: bytes, delimiter: bytes, newline: bytes) -> int | None:
    """Outside quotes the number of quotes so far is even; None if a quote is no such quote.

    It is, if every other one follows a delimiter, a line break, or a quote right before it
    (two quotes stand for one).
    """
    import numpy as np

    held = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(held == ord('"'))
    opening = quotes[::2]
    before = held[opening[opening > 0] - 1]
    if not np.isin(before, np.frombuffer(delimiter + b'\r\n"', np.uint8)).all():
        return None
    end = len(data)
    while (end := data.rfind(newline, 0, end)) >= 0:
        count = int(np.searchsorted(quotes, end))
        if count % 2 == 0:
            return end + 1
        end = int(quotes[count - 1])  # no line break inside this pair of quotes is one
    return 0


def _by_lexing(data: bytes, delimiter: bytes, newline: bytes) -> int:
    """Field by field, as pyarrow reads: a quote inside a field without quotes is a letter."""
    opening = re.compile(rb"(?:\A|(?<=[\r\n" + re.escape(delimiter) + rb']))"')
    closing = re.compile(rb'(?:[^"]|"")*"(?!")')
    at = end = 0
    while (start := opening.search(data, at)) is not None:
        end = max(end, data.rfind(newline, at, start.start()) + 1)
        stop = closing.match(data, start.end())
        if stop is None:
            return end
        at = stop.end()
    return max(end, data.rfind(newline, at) + 1)
