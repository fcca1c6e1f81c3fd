"""From chunks of a CSV file to blocks of whole records.

pyarrow could do this too, but on a thread of its own, which a stalled pipe keeps from ending;
and blocks that are cut here are parsed on as many threads as there are.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import closing

_BOM = b"\xef\xbb\xbf"
_MOST = 64 << 20
_BREAK = re.compile(rb"\r\n?|\n")
_CONTENT = re.compile(rb"[^\r\n]")

Block = bytes | memoryview
"""Bytes of a file: a view of them, where a copy would take as long as looking for their end."""


class Records:
    """Cuts a stream of bytes after the last line break that no quotes enclose.

    Attributes:
        broken: Why the stream ended early, once it has: its last record is not whole.
    """

    def __init__(
        self, chunks: Iterator[bytes], delimiter: str, header: bool, *, lone: bool = False
    ) -> None:
        self.broken = ""
        self._chunks = chunks
        self._delimiter = delimiter.encode()
        self._header = header
        self._lone = lone  # one column: empty lines are rows, except the last ones of all

    def __iter__(self) -> Iterator[Block]:
        blocks = self._with_gaps() if self._lone else self._without_gaps()
        with closing(blocks):
            yield from blocks

    def _with_gaps(self) -> Generator[bytes]:
        lacking, gap = self._header, 0
        with closing(self._whole()) as blocks:
            for index, view in enumerate(blocks):
                block = bytes(view) if index else bytes(view).removeprefix(_BOM)
                if lacking:
                    if not block.strip(b"\r\n"):
                        continue
                    block, lacking = after_first(block, self._delimiter), False
                rows = block.rstrip(b"\r\n")
                tail = block[len(rows) :]
                if rows:
                    end = _BREAK.match(tail)
                    yield b"\n" * gap + block[: len(rows) + (end.end() if end else 0)]
                    gap, tail = 0, tail[end.end() if end else 0 :]
                gap += tail.count(b"\n") or tail.count(b"\r")

    def _without_gaps(self) -> Generator[Block]:
        lacking = self._header
        with closing(self._whole()) as blocks:
            for index, block in enumerate(blocks):
                if not index:
                    block = bytes(block).removeprefix(_BOM)
                if is_blank(block):
                    continue
                if lacking:
                    block, lacking = after_first(bytes(block), self._delimiter), False
                if block:
                    yield block

    def _whole(self) -> Generator[Block]:
        rest = b""
        for chunk in self._chunks:
            data = rest + chunk
            # A last \r may be the first half of a line break.
            end = last_break(data.removesuffix(b"\r"), self._delimiter)
            rest = data[end:]
            if len(rest) > _MOST:
                self.broken = f"a row longer than {_MOST >> 20} MB, or a quote never closed"
                return
            if end:
                yield memoryview(data)[:end]
        if rest and not last_break(rest + b"\n", self._delimiter):
            self.broken = "a quote is opened and never closed"
            return
        if rest:
            yield rest


def is_blank(block: Block) -> bool:
    """Whether there is nothing but line breaks."""
    return _CONTENT.search(block) is None


def after_first(data: bytes, delimiter: bytes) -> bytes:
    """What follows the first record that is no empty line."""
    start = len(data) - len(data.lstrip(b"\r\n"))
    for found in _BREAK.finditer(data, start):
        if last_break(data[start : found.end()], delimiter):
            return data[found.end() :]
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
    before = held[opening[1:] - 1] if opening[0] == 0 else held[opening - 1]
    fits = before == ord(delimiter)
    for sign in b'\n\r"':
        fits |= before == sign
    if not fits.all():
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
