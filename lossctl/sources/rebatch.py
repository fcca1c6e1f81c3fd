"""From pieces of any length to slabs of exactly so many rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from lossctl.errors import DataError
from lossctl.sources.coded import concatenated
from lossctl.sources.table import Slab, Want
from lossctl.sources.text import plain

if TYPE_CHECKING:
    import numpy.typing as npt

    from lossctl.sources.coded import Values
    from lossctl.sources.table import Arrays

    Array = npt.NDArray[Any]


class Piece(Protocol):
    """Consecutive rows of one part, not converted yet."""

    rows: int

    def slice(self, start: int, stop: int) -> Piece:
        """Narrow to some of its rows, without copying."""
        ...

    def load(self) -> Arrays:
        """Read or convert; called on a worker thread."""
        ...


class ListPiece(Piece, Protocol):
    """Rows of a format that has lists."""

    def first_shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of a column's first list; None where all of them are null."""
        ...


def rebatch(pieces: Iterator[Piece], rows: int, names: Mapping[str, Want]) -> Iterator[Slab]:
    """Cut and gather pieces to slabs of `rows` rows, the last one shorter.

    Args:
        pieces: The data in order.
        rows: The rows of a slab.
        names: The columns, and what each is read for.
    """
    held: list[Piece] = []
    count = 0
    for piece in pieces:
        start = 0
        while start < piece.rows:
            stop = min(piece.rows, start + rows - count)
            whole = stop - start == piece.rows
            held.append(piece if whole else piece.slice(start, stop))
            count += stop - start
            start = stop
            if count == rows:
                yield Slab(rows, partial(_load, held, names))
                held, count = [], 0
    if count:
        yield Slab(count, partial(_load, held, names))


def _load(pieces: list[Piece], names: Mapping[str, Want]) -> Arrays:
    loaded = [piece.load() for piece in pieces]
    pieces.clear()  # the undecoded data is not needed any more
    if len(loaded) == 1:
        return loaded[0]
    return {
        name: joined([arrays[name] for arrays in loaded], want, name)
        for name, want in names.items()
    }


def joined(columns: Sequence[Values], want: Want, name: str) -> Values:
    """Put the rows of a column behind each other, lists of any lengths at one width."""
    import numpy as np

    if not want:
        if len({column.dtype for column in columns}) > 1:
            # Not through a common dtype: it would turn the key 3 into 3.0 or "3".
            columns = [np.asarray(column, object) for column in columns]
        return concatenated(columns)
    arrays = [np.asarray(column) for column in columns]
    if want == Want.RAGGED and arrays[0].ndim > 1:
        if len({array.shape[2:] for array in arrays}) > 1:
            raise DataError(
                f"column {plain(name)}: lists inside lists differ in length", "make them regular"
            )
        width = max(array.shape[1] for array in arrays)
        arrays = [_widened(array, width) for array in arrays]
    return np.concatenate(arrays)


def _widened(array: Array, width: int) -> Array:
    import numpy as np

    if array.shape[1] == width:
        return array
    dtype = np.result_type(array.dtype, np.int8)
    out = np.full((len(array), width, *array.shape[2:]), -1, dtype)
    out[:, : array.shape[1]] = array
    if array.dtype.kind == "f":  # a list that is null stays a row of NaN
        missing = (array != array).all(axis=tuple(range(1, array.ndim)))
        out[missing & (array.shape[1] > 0)] = np.nan
    return out
