"""From pieces of any length to slabs of exactly so many rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from lossctl.sources.table import Slab

if TYPE_CHECKING:
    import numpy.typing as npt

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


def rebatch(
    pieces: Iterator[Piece], rows: int, names: Mapping[str, bool], fill: Mapping[str, int | None]
) -> Iterator[Slab]:
    """Cut and gather pieces to slabs of `rows` rows, the last one shorter.

    Args:
        pieces: The data in order.
        rows: The rows of a slab.
        names: The columns; true where numbers are wanted.
        fill: What pads lists that differ in length, by column; None for NaN.
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
                yield Slab(rows, partial(_load, held, names, fill))
                held, count = [], 0
    if count:
        yield Slab(count, partial(_load, held, names, fill))


def _load(pieces: list[Piece], names: Mapping[str, bool], fill: Mapping[str, int | None]) -> Arrays:
    loaded = [piece.load() for piece in pieces]
    pieces.clear()  # the undecoded data is not needed any more
    if len(loaded) == 1:
        return loaded[0]
    return {
        name: _joined([arrays[name] for arrays in loaded], number, fill.get(name))
        for name, number in names.items()
    }


def _joined(arrays: list[Array], number: bool, fill: int | None) -> Array:
    import numpy as np

    if not number and len({array.dtype for array in arrays}) > 1:
        # Not through a common dtype: it would turn the key 3 into 3.0 or "3".
        arrays = [array.astype(object) for array in arrays]
    if number and arrays[0].ndim > 1 and len({array.shape[1:] for array in arrays}) > 1:
        arrays = _padded(arrays, fill)
    return np.concatenate(arrays)


def _padded(arrays: list[Array], fill: int | None) -> list[Array]:
    import numpy as np

    # Only the first axis of a row can differ in length: deeper ones are regular.
    width = max(array.shape[1] for array in arrays)
    dtype = np.result_type(*arrays)
    wide = []
    for array in arrays:
        shape = (len(array), width, *array.shape[2:])
        out = np.full(shape, np.nan if fill is None else fill, dtype)
        out[:, : array.shape[1]] = array
        wide.append(out)
    return wide
