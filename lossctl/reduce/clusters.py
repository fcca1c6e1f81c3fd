"""Sums by cluster, where the rows of a cluster are not independent of each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]


def sums(columns: Floats, codes: Indices, count: int) -> Floats:
    """The columns' sums (count, columns) in each cluster of a block."""
    return np.stack(
        [np.bincount(codes, weights=column, minlength=count) for column in columns.T], axis=1
    )


class Clusters:
    """The sums of one loss's columns in each cluster of each group; grows with the data."""

    def __init__(self, columns: int) -> None:
        self._sums = np.zeros((0, columns))

    def add(self, found: Floats, codes: Indices) -> None:
        """Take in the sums of a block, whose clusters have these numbers here."""
        missing = int(codes.max(initial=-1)) + 1 - len(self._sums)
        if missing > 0:
            # twice as many, so that growing does not dominate
            room = np.zeros((max(missing, len(self._sums)), self._sums.shape[1]))
            self._sums = np.concatenate([self._sums, room])
        self._sums[codes] += found

    def of_group(self, numbers: list[int]) -> Floats:
        """The sums (G, columns) of the clusters with these numbers, which are of one group."""
        return _taking_part(self._sums[numbers])

    def of_all(self, keys: dict[tuple[Any, ...], int]) -> Floats:
        """The sums (G, columns) of each cluster over all its groups.

        Args:
            keys: The number of each cluster, by its group's values and its own, which is last.
        """
        names: dict[Any, int] = {}
        place = [names.setdefault(key[-1], len(names)) for key in keys]
        found = np.zeros((len(names), self._sums.shape[1]))
        np.add.at(found, place, self._sums[list(keys.values())])
        return _taking_part(found)


def _taking_part(sums: Floats) -> Floats:
    """The clusters of which some row has a value."""
    return sums[sums[:, -1] > 0]
