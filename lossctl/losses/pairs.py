"""Pairs of rows in blocks: some rows against all of them, never an array of all pairs."""

from __future__ import annotations

from collections.abc import Iterator

CELLS = 2**20
"""Of a block: 8 MB of float64, of which a kernel holds a few at a time."""


def batches(rows: int, size: int | None) -> Iterator[slice]:
    """Consecutive rows, `size` at a time; all at once where it is None."""
    step = rows if size is None else size
    for start in range(0, rows, max(step, 1)):
        yield slice(start, min(start + step, rows))


def blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of rows such that a block of them and all columns is small."""
    return batches(rows, max(CELLS // max(columns, 1), 1))
