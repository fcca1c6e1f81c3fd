"""A block's rows by group: sums over the rows of each, and the rows sorted by it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]
Counts = npt.NDArray[np.int64]

_RUN = 256  # rows in a run, at least
_MOST_COUNTED = 1 << 10  # groups; by more than that the rows are sorted


class Whole:
    """All rows of a block as one group.

    Attributes:
        codes: The groups that have rows (1,).
        sizes: How many each has (1,).
        starts: Where each begins among the sorted rows (1,).
    """

    codes: Indices = np.zeros(1, dtype=np.intp)
    starts: Indices = np.zeros(1, dtype=np.intp)

    def __init__(self, rows: int) -> None:
        self.sizes: Indices = np.array([rows])

    def sums(self, column: Floats) -> Floats:
        """The sum (1,) of a column (n,)."""
        # pairwise, in an order that the length alone decides
        return np.array([column.sum()])

    def counts(self, flags: Flags) -> Counts:
        """In how many rows (1,) a flag (n,) is set."""
        return np.array([np.count_nonzero(flags)])

    sorted_sums = sums

    def ends(self, ufunc: np.ufunc, column: Floats) -> Floats:
        """The smallest or the largest value (1,) of a column (n,)."""
        return np.array([ufunc.reduce(column)])

    def spread_out(self, values: Floats) -> Any:
        """What broadcasts as the group's value for each row, of its value (1,)."""
        return values[0]


class Grouping:
    """The rows of a block by their groups.

    Columns are summed by counting where groups are few, in the order of the rows; sorting them
    takes several times as long.

    Attributes:
        codes: The groups that have rows (g,).
        sizes: How many each has (g,).
    """

    def __init__(self, rows: Indices, sizes: Indices, weights: Floats | None) -> None:
        """Group rows.

        Args:
            rows: The number of each row's group (n,).
            sizes: How many rows each group has, by its number; 0 for some.
            weights: Of the samples (n,), where they have any.
        """
        self._rows, self._groups, self._weights = rows, len(sizes), weights
        self.codes: Indices = np.flatnonzero(sizes)
        self.sizes: Indices = sizes[self.codes]

    def sums(self, column: Floats) -> Floats:
        """The sums (g,) of a column (n,)."""
        if self._groups > _MOST_COUNTED:
            return self.sorted_sums(column[self.order])
        places, runs = self._places
        found = np.bincount(places, column, self._groups * runs)
        return np.asarray(found.reshape(self._groups, runs).sum(axis=1)[self.codes])

    def counts(self, flags: Flags) -> Counts:
        """In how many rows (g,) a flag (n,) is set."""
        return np.bincount(self._rows[flags], minlength=self._groups)[self.codes]

    @cached_property
    def _places(self) -> tuple[Indices, int]:
        """Where each row is counted (n,), and how many runs of rows each group is counted in.

        What is added one by one gets less precise with every row; the sums of runs are then
        added pairwise.
        """
        size = max(_RUN, self._groups)
        # an odd number, or groups would be a power of two apart, and share few lines of the cache
        runs = -(-len(self._rows) // size) | 1
        if runs == 1:
            return self._rows, runs
        places = self._rows * runs
        full = len(places) // size
        places[: full * size].reshape(full, size)[:] += np.arange(full)[:, None]
        places[full * size :] += full
        return places, runs

    @cached_property
    def order(self) -> Indices:
        """The rows (n,), group by group."""
        # a stable sort of short integers counts digits, and takes a third of the time
        short = self._rows.astype(np.uint16) if self._groups <= 1 << 16 else self._rows
        return np.argsort(short, kind="stable")

    @cached_property
    def starts(self) -> Indices:
        """Where each group begins in `order` (g,)."""
        return np.asarray(np.cumsum(self.sizes) - self.sizes)

    @cached_property
    def sorted_weights(self) -> Floats | None:
        """The samples' weights in `order`; all losses share the array."""
        return None if self._weights is None else self._weights[self.order]

    def sorted_sums(self, column: Floats) -> Floats:
        """The sums (g,) of a column (n,) in `order`."""
        return np.asarray(np.add.reduceat(column, self.starts))

    def ends(self, ufunc: np.ufunc, column: Floats) -> Floats:
        """The smallest or the largest values (g,) of a column (n,) in `order`."""
        return np.asarray(ufunc.reduceat(column, self.starts))

    def spread_out(self, values: Floats) -> Any:
        """Each group's value (g,) for each of its rows (n,), in `order`."""
        return np.repeat(values, self.sizes)
