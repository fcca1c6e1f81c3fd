"""What several likelihoods share."""

from __future__ import annotations

from math import log, pi

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Domain,
    InvalidInput,
    Param,
)
from lossctl.losses.domains import NON_NEGATIVE, POSITIVE
from lossctl.losses.shared import shared

HALF_LOG_2PI = 0.5 * log(2 * pi)


UNDERFLOW = Param(
    "underflow",
    False,
    "a density too small for the inputs' own type is 0, and the loss infinite",
)


_VANISHES = {"float32": 150 * log(2), "float64": 1075 * log(2)}
"""The x from which on exp(−x) is 0: half the smallest float of the type."""


def parameter(xp: ArrayModule, value: Array | float, name: str, domain: Domain = POSITIVE) -> Array:
    """An input that may be a constant, in float64; the constant's domain is checked here."""
    value = xp.asarray(value, dtype="float64")
    if not value.ndim and not (value > 0 or (value == 0 and domain is NON_NEGATIVE)):
        why = "not above 0" if domain is POSITIVE else "below 0"
        raise InvalidInput(name, None, f"is {float(value):g}, {why}")
    return value


@shared
def wide(*arrays: Array) -> tuple[Array, ...]:
    """The arrays in float64: terms of both signs leave too few digits of a float32."""
    return tuple(array.astype("float64", copy=False) for array in arrays)


def underflowing(
    xp: ArrayModule, values: Array, exponent: Array, underflow: bool, *inputs: Array
) -> Array:
    """The values; infinite, if `underflow`, where exp(−exponent) is 0 in the inputs' type."""
    if not underflow:
        return values
    return xp.where(exponent > _VANISHES[xp.result_type(*inputs).name], xp.inf, values)
