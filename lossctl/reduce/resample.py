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
Counts = npt.NDArray[np.integer[Any]]

# What is drawn at once, and what of it is multiplied at once: both stay in a core's cache.
_CELLS = 1 << 17
_SEGMENT = 1 << 14
_TOGETHER = _CELLS // _SEGMENT  # resamples of large blocks, for which columns are read once
_LEVELS = 1 << 16  # of the random numbers that Poisson counts are looked up by


class Resampling(NamedTuple):
    """How many resamples, and of which seed."""

    times: int
    seed: int = 0


def exhausts(how: Resampling, units: int) -> bool:
    """Whether there are fewer ways to give so many units a sign than are to be drawn."""
    return units < how.times.bit_length() and 1 << units < how.times


class Share(NamedTuple):
    """Some rows of a block, whose resampled sums are wanted."""

    sums: Floats  # (resamples, columns), to be filled in
    rows: Any  # which of the block's rows they are: indices, or a slice
    columns: Floats  # (n, columns)


class Draws(NamedTuple):
    """The resamples of one block's rows."""

    how: Resampling
    start: int  # the block's first row, by which its numbers are told from other blocks'
    rows: int
    alone: bool  # whether the block is the whole file
    signs: bool = False  # each row gets a sign, for a permutation, and not a count
    differences: bool = False  # only what models differ by is resampled

    @property
    def every(self) -> bool:
        """Whether the few signs that there are, are all taken, each once."""
        return self.signs and self.alone and exhausts(self.how, self.rows)

    @property
    def times(self) -> int:
        """How many resamples there are."""
        return 1 << self.rows if self.every else self.how.times

    def chunks(self) -> Iterator[tuple[slice, Counts]]:
        """Some resamples at a time: which, and the count (resamples, rows) of each row.

        Where signs are drawn, a count of 1 is a plus and 0 is a minus. The next counts may be
        drawn into the memory of those before.
        """
        rng = np.random.Generator(np.random.SFC64([self.how.seed, self.start]))
        draw = _coins if self.signs else multinomial if self.alone else _poisson
        step = max(1, _CELLS // max(1, self.rows))
        most = min(step * max(1, _TOGETHER // step), self.times)
        counts = np.empty((most, self.rows), np.uint8)  # of a mean of 1, none comes near 255
        for first in range(0, self.times, most):
            which = slice(first, min(first + most, self.times))
            if self.every:
                yield which, np.arange(first, which.stop)[:, None] >> np.arange(self.rows) & 1
                continue
            for at in range(first, which.stop, step):
                stop = min(at + step, which.stop)
                counts[at - first : stop - first] = draw(rng, (stop - at, self.rows))
            yield which, counts[: which.stop - first]

    def fill(self, shares: list[Share]) -> None:
        """Sum the columns of every share in each resample, drawing once for all of them."""
        merged = _merged(shares)
        room = np.empty(_CELLS)
        for which, counts in self.chunks() if shares else ():
            for rows, columns, places in merged:
                found = _products(counts, rows, columns, room)
                if self.signs:
                    found = 2 * found - columns.sum(axis=0)
                for share, place in places:
                    share.sums[which] = found[:, place]


def _merged(shares: list[Share]) -> list[tuple[Any, Floats, list[tuple[Share, list[int]]]]]:
    """The shares of the same rows together: the rows, their columns once, and whose they are.

    Losses share statistics, and models a baseline; what is equal comes out equal to the bit.
    """
    rows: dict[bytes, Any] = {}
    known: dict[bytes, dict[bytes, int]] = {}
    distinct: dict[bytes, list[Floats]] = {}
    places: dict[bytes, list[tuple[Share, list[int]]]] = {}
    for share in shares:
        key = b"" if isinstance(share.rows, slice) else b"i" + share.rows.tobytes()
        rows[key] = share.rows
        mine, listed = known.setdefault(key, {}), distinct.setdefault(key, [])
        place = []
        for column in share.columns.T:
            place.append(mine.setdefault(column.tobytes(), len(listed)))
            if place[-1] == len(listed):
                listed.append(column)
        places.setdefault(key, []).append((share, place))
    return [(rows[key], np.stack(distinct[key]).T, places[key]) for key in rows if distinct[key]]


def _products(counts: Counts, rows: Any, columns: Floats, room: Floats) -> Floats:
    """The columns' sums (resamples, columns), each row counted as often as it was drawn.

    Args:
        counts: (resamples, rows of the block).
        rows: Which of the block's rows the columns have.
        columns: (n, columns), each of them contiguous.
        room: For as many counts as numbers as are multiplied at once.
    """
    n, resamples = len(columns), len(counts)
    found = np.zeros((resamples, columns.shape[1]))
    for first in range(0, n, _SEGMENT):
        part = slice(first, min(first + _SEGMENT, n))
        drawn = counts[:, part if isinstance(rows, slice) else rows[part]]
        numbers = room[: drawn.size].reshape(drawn.shape)
        np.copyto(numbers, drawn)
        found += numbers @ columns[part]
    return found


def _words(rng: np.random.Generator, count: int, kind: str) -> npt.NDArray[Any]:
    """Random unsigned numbers of a kind such as `u2`, the same on every machine."""
    size = np.dtype(kind).itemsize
    words = rng.integers(0, 1 << 64, -(-count * size // 8), dtype=np.uint64)
    return words.astype("<u8", copy=False).view(f"<{kind}")[:count]


def multinomial(rng: np.random.Generator, shape: tuple[int, int]) -> Counts:
    """How often each of n things is drawn in n draws with replacement, (resamples, n)."""
    resamples, n = shape
    drawn = _words(rng, resamples * n, "u4").astype(np.uint64).reshape(shape)
    drawn *= np.uint64(n)
    drawn >>= np.uint64(32)  # below n, each number as likely to 1 in 2³² / n
    places = drawn.view(np.int64)
    places += n * np.arange(resamples)[:, None]
    counts: Counts = np.bincount(places.reshape(-1), minlength=resamples * n)
    return counts.reshape(shape)


def _coins(rng: np.random.Generator, shape: tuple[int, int]) -> Counts:
    """0 or 1, as likely, (resamples, rows)."""
    resamples, rows = shape
    drawn = _words(rng, resamples * ((rows + 7) // 8), "u1").reshape(resamples, -1)
    flags: Counts = np.unpackbits(drawn, axis=1)
    return flags[:, :rows]


@lru_cache(maxsize=1)
def _poisson_counts() -> npt.NDArray[np.uint8]:
    """The Poisson count of mean 1 that each 16-bit number stands for."""
    below = np.cumsum([exp(-1) / factorial(k) for k in range(12)])
    middles = (np.arange(_LEVELS) + 0.5) / _LEVELS
    return np.searchsorted(below, middles, side="right").astype(np.uint8)


def _poisson(rng: np.random.Generator, shape: tuple[int, int]) -> Counts:
    drawn = _words(rng, shape[0] * shape[1], "u2").reshape(shape)
    # one long call, where comparisons with each step would have threads wait for each other
    return _poisson_counts().take(drawn, mode="clip")


def of_units(units: Floats, how: Resampling, signs: bool = False) -> Floats:
    """The sums (resamples, columns) of units (G, columns), drawn with replacement or signed."""
    draws = Draws(how, 0, len(units), alone=True, signs=signs)
    sums = np.zeros((draws.times, units.shape[1]))
    draws.fill([Share(sums, slice(None), units)])
    return sums
