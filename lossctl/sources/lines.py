"""At which line of a text file a row stands."""

from __future__ import annotations

from typing import Any

from lossctl.errors import LossctlError
from lossctl.sources.files import File

_CHUNK = 1 << 20


def line_of(file: File, record: int, quoted: bool, *, gaps: int | None = None) -> int | None:
    """Find the line (from 1) at which a record begins; None where it cannot be found.

    Args:
        file: The file, read again from its beginning; not a pipe.
        record: The record, from 0; lines that are empty are none.
        quoted: Whether values in quotes may hold line breaks (CSV).
        gaps: After so many records empty lines are records too; None for never.
    """
    try:
        stream = file.stream()
        try:
            return _search(stream, record, quoted, gaps)
        finally:
            stream.close()
    except (OSError, ValueError, LossctlError):
        return None  # this only adds to a message; the message is what matters


def _search(stream: Any, record: int, quoted: bool, gaps: int | None) -> int | None:
    import numpy as np

    line, rest, inside = 1, b"", False
    while True:
        chunk = stream.read(_CHUNK)
        data = rest + chunk
        if not chunk and data and not data.endswith(b"\n"):
            data += b"\n"
        end = data.rfind(b"\n") + 1
        rest = data[end:]
        held = np.frombuffer(data, np.uint8, end)
        breaks = np.flatnonzero(held == ord("\n"))
        begins, empty, inside = _begins(held, breaks, quoted, inside)
        if gaps is not None and len(breaks):
            # Where the header stands: from there on, every line counts that no quotes enclose.
            behind = int(np.searchsorted(np.cumsum(begins), gaps)) if gaps else -1
            begins[behind + 1 :] |= empty[behind + 1 :]
            gaps = max(0, gaps - int(np.count_nonzero(begins[: behind + 1])))
        count = int(np.count_nonzero(begins))
        if record < count:
            return line + int(np.flatnonzero(begins)[record])
        line, record = line + len(breaks), record - count
        if not chunk:
            return None


def _begins(held: Any, breaks: Any, quoted: bool, inside: bool) -> tuple[Any, Any, bool]:
    """Which lines begin a record, which are empty, and whether the last ends inside quotes."""
    import numpy as np

    starts = np.concatenate([np.zeros(min(1, len(breaks)), breaks.dtype), breaks[:-1] + 1])
    lengths = breaks - starts
    empty = (lengths == 0) | ((lengths == 1) & (held[starts] == ord("\r")))
    if not quoted:
        return ~empty, empty, False
    # A line begins inside quotes if an odd number of them comes before; "" counts twice.
    quotes = np.flatnonzero(held == ord('"'))
    odd = (np.searchsorted(quotes, starts) + inside) & 1 == 1
    return ~empty & ~odd, empty & ~odd, bool((len(quotes) + inside) & 1)
