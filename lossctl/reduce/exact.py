"""Sums of floats without rounding, so that they merge in any order to the same bits.

A finite float64 is a whole number of units of 2⁻¹¹³⁰, and Python's integers are as long as
they need to be. Only one number per block and statistic comes here, so the price is small.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Units = npt.NDArray[np.object_]  # of Python integers

_DIGITS = 53  # of a float64, in binary
_FEW = 8  # values that are quicker one by one

SHIFT = 1130  # a unit is 2**-SHIFT; the smallest subnormal is 2**-1074, with 53 bits below it


def units(values: Floats) -> Units:
    """Finite floats as integers, in units of 2**-SHIFT."""
    if values.size < _FEW:
        found = [_unit(value) for value in values.reshape(-1).tolist()]
        return np.array(found, dtype=object).reshape(values.shape)
    mantissas, exponents = np.frexp(values)
    whole = np.ldexp(mantissas, _DIGITS).astype(np.int64).astype(object)
    return np.asarray(whole << (exponents.astype(np.int64) + (SHIFT - _DIGITS)).astype(object))


def _unit(value: float) -> int:
    mantissa, exponent = math.frexp(value)
    return int(mantissa * (1 << _DIGITS)) << (exponent + (SHIFT - _DIGITS))


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
