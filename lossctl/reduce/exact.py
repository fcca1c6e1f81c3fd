"""Sums of floats without rounding, so that they merge in any order to the same bits.

A finite float64 is a whole number of units of 2⁻¹¹³⁰, and Python's integers are as long as
they need to be. Only one number per block and statistic comes here, so the price is small.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Units = npt.NDArray[np.object_]  # of Python integers

_DIGITS = 53  # of a float64, in binary
_FEW = 8  # values that are quicker one by one

SHIFT = 1130  # a unit is 2**-SHIFT; the smallest subnormal is 2**-1074, with 53 bits below it


class Scaled(NamedTuple):
    """Integers times powers of two, which are short where units are long.

    What is computed of a few floats is computed of these first, and put in units once.
    """

    whole: Units
    power: npt.NDArray[np.int64]  # of 2

    @classmethod
    def of(cls, values: Floats) -> Scaled:
        """Finite floats."""
        if values.size < _FEW:
            parts = [math.frexp(value) for value in values.reshape(-1).tolist()]
            few = np.array([int(mantissa * (1 << _DIGITS)) for mantissa, _ in parts], dtype=object)
            powers = np.array([power - _DIGITS for _, power in parts], dtype=np.int64)
            return cls(few.reshape(values.shape), powers.reshape(values.shape))
        mantissas, exponents = np.frexp(values)
        whole = np.ldexp(mantissas, _DIGITS).astype(np.int64)
        return cls(whole.astype(object), exponents.astype(np.int64) - _DIGITS)

    @classmethod
    def of_counts(cls, counts: npt.NDArray[np.int64]) -> Scaled:
        """Integers."""
        return cls(counts.astype(object), np.zeros(counts.shape, dtype=np.int64))

    def times(self, other: Scaled) -> Scaled:
        """The products."""
        return Scaled(self.whole * other.whole, self.power + other.power)

    def plus(self, other: Scaled) -> Scaled:
        """The sums."""
        power = np.minimum(self.power, other.power)
        return Scaled(self._at(power) + other._at(power), power)

    def units(self, power: int = 1) -> Units:
        """In units of 2**-SHIFT; `power` is the number of factors multiplied."""
        return self._at(np.int64(-SHIFT * power))

    def _at(self, power: Any) -> Units:
        """The integers that they are of a power of two, which is not above their own."""
        return np.asarray(self.whole << (self.power - power).astype(object))


def units(values: Floats) -> Units:
    """Finite floats as integers, in units of 2**-SHIFT."""
    return Scaled.of(values).units()


def zeros(shape: tuple[int, ...]) -> Units:
    """Sums of nothing."""
    return np.full(shape, 0, dtype=object)


def quotient(numerator: int, denominator: int) -> float:
    """The correctly rounded ratio of two integers; infinite beyond the range of floats."""
    try:
        return numerator / denominator
    except OverflowError:
        return float("inf") if (numerator > 0) == (denominator > 0) else float("-inf")


def floats(total: Units, power: int = 1) -> Floats:
    """Sums back as correctly rounded floats; `power` is the number of factors multiplied."""
    unit = 1 << (SHIFT * power)
    flat = [quotient(int(item), unit) for item in total.reshape(-1)]
    return np.array(flat, dtype=np.float64).reshape(total.shape)


def variance_of_sum(second: Any, left: Any, right: Any, n: int) -> float:
    """n/(n−1) · (Σxy − Σx·Σy/n): the (co)variance of sums of n independent pairs.

    The arguments are exact, so that nothing cancels: a spread of 1e-9 around 1e9 survives.
    """
    return quotient(second * n - left * right, (n - 1) << (2 * SHIFT))
