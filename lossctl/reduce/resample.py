"""Resamples of sufficient statistics: the losses are evaluated once.

A resample gives each row a count. In a file of one block the counts are those of drawing as
many rows as there are, with replacement; over several blocks they are independent Poisson
counts, which for so many rows is the same. They depend on the seed and on the rows alone, so
that every loss, and every model of a comparison, sees the same resamples.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import exp, factorial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_CELLS = 1 << 20  # counts drawn at once, for the cache
_LEVELS = 1 << 16  # of the random numbers that Poisson counts are looked up by


class Resampling(NamedTuple):
    """How many resamples, and of which seed."""

    times: int
    seed: int = 0


class Draws(NamedTuple):
    """The resamples of one block's rows."""

    how: Resampling
    start: int  # the block's first row, by which its numbers are told from other blocks'
    rows: int
    alone: bool  # whether the block is the whole file
    signs: bool = False  # each row gets a sign, for a permutation, and not a count

    def chunks(self) -> Iterator[tuple[slice, Floats]]:
        """Some resamples at a time: which, and the count (resamples, rows) of each row."""
        rng = np.random.Generator(np.random.Philox(key=[self.how.seed, self.start]))
        step = max(1, _CELLS // max(1, self.rows))
        for first in range(0, self.how.times, step):
            which = slice(first, min(first + step, self.how.times))
            shape = (which.stop - first, self.rows)
            if self.signs:
                yield which, _signs(rng, shape)
            else:
                yield which, multinomial(rng, shape) if self.alone else _poisson(rng, shape)

    def fill(self, shares: list[Share]) -> None:
        """Sum the columns of every share in each resample, drawing once for all of them."""
        for which, counts in self.chunks() if shares else ():
            for share in shares:
                share.sums[which] = counts[:, share.rows] @ share.columns


class Share(NamedTuple):
    """Some rows of a block, whose resampled sums are wanted."""

    sums: Floats  # (resamples, columns), to be filled in
    rows: Any  # which of the block's rows they are: indices, or a slice
    columns: Floats  # (n, columns)


def multinomial(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """How often each of n things is drawn in n draws with replacement, (resamples, n)."""
    resamples, n = shape
    drawn = rng.integers(0, n, shape) + n * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.reshape(-1), minlength=resamples * n)
    return counts.reshape(shape).astype(np.float64)


def _signs(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """−1 or 1, as likely, (resamples, rows)."""
    resamples, rows = shape
    drawn = rng.integers(0, 256, (resamples, (rows + 7) // 8), dtype=np.uint8)
    return np.unpackbits(drawn, axis=1)[:, :rows].astype(np.float64) * 2 - 1


def of_units(units: Floats, how: Resampling, signs: bool = False) -> Floats:
    """The sums (resamples, columns) of units (G, columns), drawn with replacement or signed."""
    sums = np.zeros((how.times, units.shape[1]))
    Draws(how, 0, len(units), alone=True, signs=signs).fill([Share(sums, slice(None), units)])
    return sums


@lru_cache(maxsize=1)
def _poisson_table() -> Floats:
    """The Poisson count of mean 1 for each 16-bit number."""
    below = np.cumsum([exp(-1) / factorial(k) for k in range(12)])
    middles = (np.arange(_LEVELS) + 0.5) / _LEVELS
    return np.searchsorted(below, middles).astype(np.float64)


def _poisson(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return _poisson_table().take(rng.integers(0, _LEVELS, shape, dtype=np.uint16))
