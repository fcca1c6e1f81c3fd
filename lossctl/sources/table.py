"""What every source looks like to the rest of the program: a table read once, in slabs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from lossctl.sources.coded import Values

Arrays: TypeAlias = "dict[str, Values]"


class Column(NamedTuple):
    """A column: what can be known of it before its rows are read."""

    name: str
    dtype: str  # as stored, for people: float32, list<double>, string, …
    numeric: bool  # numbers or booleans, or lists of them
    shape: tuple[int, ...] | None = ()  # of one row; None where lists differ in length


class Want(IntEnum):
    """What a column is read for; true where numbers are needed."""

    ANY = 0  # any value serves: groups, keys
    NUMBERS = 1  # or lists of them, all of one length
    RAGGED = 2  # numbers in lists of any lengths, padded

    def also(self, other: Want) -> Want:
        """Read for both: the stricter of the two."""
        return Want.NUMBERS if Want.NUMBERS in (self, other) else max(self, other)


class Slab(NamedTuple):
    """Consecutive rows. `load` may be called on any thread, once."""

    rows: int
    load: Callable[[], Arrays]


class Format(NamedTuple):
    """How to read what the path's extension does not say."""

    input_format: str | None = None  # of standard input, or in place of the extension
    delimiter: str | None = None
    header: bool = True


class Table(Protocol):
    """Named columns of a data set, opened; a stream can be read only once."""

    @property
    def source(self) -> str:
        """The path as given, for messages and the report."""
        ...

    @property
    def columns(self) -> tuple[Column, ...]:
        """An NPY file has one, named ""."""
        ...

    @property
    def rows(self) -> int | None:
        """None where only the end of the stream will tell."""
        ...

    @property
    def separate(self) -> bool:
        """Whether the columns (arrays of an NPZ) have lengths of their own."""
        ...

    def slabs(self, names: Mapping[str, Want], rows: int) -> Iterator[Slab]:
        """Read the named columns in slabs of exactly `rows` rows (the last may be shorter).

        Args:
            names: The columns, and what each is read for.
            rows: The rows of a slab.

        Yields:
            Slabs whose arrays are (n, *shape), C-contiguous, native byte order. Numbers
            keep their stored dtype, integers with nulls become float64 with NaN, a list
            that is null a row of NaN. Lists wanted as ragged are padded with −1 to the
            slab's longest. Other values come as object arrays or coded, None for null; whole
            columns of numbers wanted as any value keep their dtype where they have no null.

        Raises:
            DataError: Unreadable, truncated or corrupt data, or where numbers are needed a
                value that is none, or a list of another length than the first; it names
                the file, the column and the row.
        """
        ...

    def place(self, row: int) -> str:
        """Where a row (counted from 0) stands, for messages: `part-2.csv, row 17 (line 19)`."""
        ...

    def close(self) -> None:
        """Close what is open; safe to call twice."""
        ...
