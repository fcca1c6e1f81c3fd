"""Quantiles: exact up to a million values, beyond that to 0.1 % of the value.

Beyond, values are counted in 512 bins an octave, read off the float's own bits: the bin is
the sign, the exponent and the first nine bits of the fraction, so its middle is within
2⁻¹⁰ of every value in it. Counts add, in any order, to the same counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

EXACT = 1_000_000
_FRACTION_BITS = 9
_BINS = 1 << _FRACTION_BITS
_SHIFT = 52 - _FRACTION_BITS

Floats = npt.NDArray[np.float64]


class Quantiles:
    """Values, or their counts; `merge` joins two without regard to order."""

    def __init__(self, values: Floats | None = None, weights: Floats | None = None) -> None:
        self.n = 0 if values is None else len(values)
        self._values: list[tuple[Floats, Floats | None]] = []
        if values is not None and len(values):
            self._values.append((values, weights))
        # (sign, octave) -> the counts (or weights) of its bins
        self._octaves: dict[tuple[int, int], npt.NDArray[Any]] = {}

    @property
    def exact(self) -> bool:
        """Whether every value is still here."""
        return not self._octaves

    @property
    def held(self) -> int:
        """How many values are still here."""
        return sum(len(values) for values, _ in self._values)

    def merge(self, other: Quantiles) -> None:
        """Take in another's values."""
        self.n += other.n
        self._values += other._values
        for octave, counts in other._octaves.items():
            self._add(octave, counts)

    def compress(self) -> None:
        """Count the values and let go of them."""
        if self._values:
            self._count(*self._all())
        self._values = []

    def _all(self) -> tuple[Floats, Floats | None]:
        """The values that are still here, and their weights."""
        if len(self._values) == 1:
            return self._values[0]
        values = np.concatenate([values for values, _ in self._values])
        weights = [weights for _, weights in self._values if weights is not None]
        return values, np.concatenate(weights) if weights else None

    def _add(self, octave: tuple[int, int], counts: npt.NDArray[Any]) -> None:
        mine = self._octaves.get(octave)
        if mine is None:
            self._octaves[octave] = counts.copy()
        elif mine.dtype == counts.dtype and self.n < 1 << 32:
            mine += counts
        else:
            self._octaves[octave] = mine.astype(np.result_type(counts, np.int64)) + counts

    def _count(self, values: Floats, weights: Floats | None) -> None:
        bits = values.view(np.int64)
        below = bits < 0 if int(bits.min()) < 0 else None  # the sign is the highest bit
        for sign, some in ((1, slice(None) if below is None else ~below), (-1, below)):
            chosen = bits[:0] if some is None else bits[some]
            if not len(chosen):
                continue
            if sign < 0:
                chosen = chosen & 0x7FFF_FFFF_FFFF_FFFF
            keys = chosen >> _SHIFT
            first = int(keys.min()) >> _FRACTION_BITS
            keys -= first << _FRACTION_BITS
            counts = np.bincount(keys, None if weights is None else weights[some])
            # half the memory of int64, as long as no bin can overflow
            kind = "uint32" if weights is None and self.n < 1 << 32 else counts.dtype
            padded = np.zeros(-(-len(counts) // _BINS) * _BINS, dtype=kind)
            padded[: len(counts)] = counts
            for offset, octave in enumerate(padded.reshape(-1, _BINS)):
                if octave.any():
                    self._add((sign, first + offset), octave)

    def query(self, levels: Sequence[float], low: float, high: float) -> dict[float, float]:
        """The quantiles at the levels, all NaN where there is no value.

        Unweighted values interpolate linearly between order statistics, as numpy's default
        does; weighted ones are the inverse of the weighted distribution function, which is a
        value of the data and has nothing between two of them.

        Args:
            levels: Between 0 and 1.
            low: The smallest value, which bounds the answers.
            high: The largest.
        """
        if self.n == 0 or low != low:
            return dict.fromkeys(levels, float("nan"))
        if not self.exact:
            self.compress()
            return {level: min(max(self._approximate(level), low), high) for level in levels}
        values, weights = self._all()
        if weights is None:
            found = _interpolate(np.sort(values), levels)
        else:
            order = np.lexsort((weights, values))  # equal values too, in whatever order they came
            cumulative = np.cumsum(weights[order])
            ranks = np.searchsorted(cumulative, np.asarray(levels) * cumulative[-1])
            found = values[order][np.minimum(ranks, len(values) - 1)]
        return {level: float(value) for level, value in zip(levels, found)}

    def _approximate(self, level: float) -> float:
        keys = sorted(self._octaves, key=lambda key: key[0] * (key[1] + 0.5))
        counts = np.concatenate([self._octaves[key][:: key[0]] for key in keys])
        middles = np.concatenate([_middles(*key)[:: key[0]] for key in keys])
        cumulative = np.cumsum(counts, dtype=None if counts.dtype.kind == "f" else np.int64)
        if counts.dtype.kind == "f":
            rank = np.searchsorted(cumulative, level * cumulative[-1])
            return float(middles[min(rank, len(middles) - 1)])
        position = level * (self.n - 1)
        below, above = np.searchsorted(
            cumulative, [np.floor(position), np.ceil(position)], side="right"
        )
        share = position - np.floor(position)
        return float(_between(middles[below], middles[above], share))


def _middles(sign: int, octave: int) -> Floats:
    if octave == 2047:  # the octave of the infinities
        return np.full(_BINS, sign * np.inf)
    edges = (np.arange(_BINS + 1, dtype=np.int64) + (octave << _FRACTION_BITS)) << _SHIFT
    lower, upper = edges[:-1].view(np.float64), edges[1:].view(np.float64)
    if octave == 2046:
        upper = np.minimum(upper, np.finfo(np.float64).max)
    middles = lower + (upper - lower) / 2
    if octave == 0:
        middles[0] = 0.0  # zero itself, which a count of subnormals may not move
    return sign * middles


def _interpolate(ordered: Floats, levels: Sequence[float]) -> list[float]:
    found = []
    for level in levels:
        position = level * (len(ordered) - 1)
        index = int(position)
        after = min(index + 1, len(ordered) - 1)
        found.append(_between(ordered[index], ordered[after], position - index))
    return found


def _between(low: float, high: float, share: float) -> float:
    # where both are the same infinity their difference would be NaN
    return float(low if share == 0 or low == high else low + (high - low) * share)
