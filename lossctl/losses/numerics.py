"""Formulas that many losses share, written to be stable for every input."""

from __future__ import annotations

from math import factorial
from typing import Any

from lossctl.losses.classes import at_class, places
from lossctl.losses.definition import Array, ArrayModule
from lossctl.losses.shared import room, shared

# sums of exponentials so far from the ends of their type that none of it was lost there
_SAFE = {"float32": (1e-24, 1e38), "float64": (1e-280, 1e308)}


@shared
def difference(xp: ArrayModule, x: Array, y: Array) -> Array:
    """x − y."""
    return x - y


@shared
def distance(xp: ArrayModule, x: Array, y: Array) -> Array:
    """|x − y|."""
    apart = difference(xp, x, y)
    return xp.abs(apart, out=room(apart))


def xlogy(xp: ArrayModule, x: Array, y: Array) -> Array:
    """x·log y, and 0 where x is 0."""
    return xp.where(x == 0, x * 0, x * xp.log(y))


def xlog1py(xp: ArrayModule, x: Array, y: Array) -> Array:
    """x·log(1 + y), and 0 where x is 0."""
    return xp.where(x == 0, x * 0, x * xp.log1p(y))


def weighed(xp: ArrayModule, weight: Array, x: Array) -> Array:
    """weight·x, and 0 where the weight is 0, whatever x."""
    product = weight * x
    if bool(xp.isfinite(product).all()):  # cheaper than to choose everywhere
        return product
    return xp.where(weight == 0, 0, product)


def ratio(xp: ArrayModule, numerator: Array, denominator: Array) -> Array:
    """numerator/denominator, and 0 where both are 0."""
    return xp.where((numerator == 0) & (denominator == 0), 0.0, numerator / denominator)


def softplus(xp: ArrayModule, x: Array) -> Array:
    """log(1 + exp x)."""
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x)))


def sigmoid(xp: ArrayModule, x: Array) -> Array:
    """1/(1 + exp −x), accurate at both ends."""
    small = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, 1, small) / (1 + small)


def logsumexp(xp: ArrayModule, x: Array, axis: int = -1) -> Array:
    """log Σ exp x along an axis, which goes."""
    peak = x.max(axis=axis, keepdims=True)
    peak = xp.where(xp.isfinite(peak), peak, 0)
    return xp.log(xp.exp(x - peak).sum(axis=axis)) + xp.squeeze(peak, axis)


def ordered_sum(xp: ArrayModule, x: Array, axis: int = -1, dtype: Any = None) -> Array:
    """Σ along the first or the last axis, bit for bit the same however long the others are."""
    dtype = dtype or x.dtype
    if axis != 0:
        # cast before the sum: NumPy's buffered cast adds in an order that depends on the rows
        return x.astype(dtype, copy=False).sum(axis=axis)
    total = x[0].astype(dtype)  # NumPy adds a single column in another order than many
    for row in x[1:]:
        total += row
    return total


@shared
def log_softmax(xp: ArrayModule, x: Array, axis: int = -1) -> Array:
    """log of softmax along an axis, accurate where it is next to 0 too."""
    shifted = x - x.max(axis=axis, keepdims=True)
    odds = xp.exp(shifted)
    top = odds == 1  # left out of the sum: log1p of the rest keeps all digits
    odds -= top
    rest = ordered_sum(xp, odds, axis)
    rest = rest + (top.sum(axis=axis) - 1).astype(x.dtype)
    shifted -= xp.expand_dims(xp.log1p(rest), axis)
    return shifted


@shared
def log_softmax_at(xp: ArrayModule, x: Array, ids: Array, axis: int = -1) -> Array:
    """log_softmax of contiguous x at one class of each, on the first or the last axis, in float64.

    It is −log(1 + Σ exp x / exp x_id), the sum over the others. Exponentials that need no peak
    taken out cost two passes less, and have no rounded difference in them.
    """
    own = at_class(xp, x, ids, axis)
    rest = _others(xp, xp.exp(x), ids, axis)
    found = -softplus(xp, xp.log(rest) - own)
    low, high = _SAFE[x.dtype.name]
    lost = ~((rest > low) & (rest < high) & xp.isfinite(own))
    if bool(lost.any()):
        chosen = xp.ascontiguousarray(x[:, lost] if axis == 0 else x[lost], dtype="float64")
        found[lost] = _shifted_log_softmax_at(xp, chosen, ids[lost], axis)
    return found


def _shifted_log_softmax_at(xp: ArrayModule, x: Array, ids: Array, axis: int) -> Array:
    """The same of any numbers."""
    peak = x.max(axis=axis)
    own = at_class(xp, x, ids, axis) - peak
    # The sum goes without its own term, which is 1 where it is the peak: log1p of the rest then
    # keeps all digits. Elsewhere 1 − exp(own) is far from the rest.
    rest = _others(xp, xp.exp(x - xp.expand_dims(peak, axis)), ids, axis)
    return own - xp.log1p(rest + (xp.exp(own) - 1))


def _others(xp: ArrayModule, odds: Array, ids: Array, axis: int) -> Array:
    """Σ of all classes but the one of the id, which is set to 0."""
    odds.reshape(-1)[places(xp, ids, odds.shape[axis], axis)] = 0
    return ordered_sum(xp, odds, axis, "float64")


def one_minus_exp(xp: ArrayModule, log_p: Array) -> Array:
    """1 − p of log p."""
    return -xp.expm1(log_p)


def log_ratio(
    xp: ArrayModule, x: Array, y: Array, log_x: Array, log_y: Array, difference: Array
) -> Array:
    """log(x/y) of x, y ≥ 0 and their `difference` x − y; exact where they nearly agree."""
    tangent = ratio(xp, difference, x + y)  # log(x/y) = 2 artanh of it
    near = xp.abs(tangent) < 0.1
    square = xp.where(near, tangent * tangent, 0)
    rest: Array = 0.0
    for odd in (15, 13, 11, 9, 7, 5, 3):
        rest = square * (rest + 1 / odd)
    return xp.where(near, 2 * tangent * (1 + rest), log_x - log_y)


def excess(
    xp: ArrayModule,
    x: Array,
    y: Array,
    log_x: Array,
    log_y: Array,
    difference: Array,
    power: float = 0.0,
) -> Array:
    """x log(x/y) − x + y, never negative and exact where x and y nearly agree.

    With a `power` a: x ((x/y)^a − 1)/a − x + y, of which that is the limit. Summed over two
    distributions the terms make a divergence without cancellation.
    """
    log = log_ratio(xp, x, y, log_x, log_y, difference)
    growth = log if power == 0 else xp.expm1(power * log) / power
    far = xp.where(x == 0, 0, x * growth) - difference
    # the same as x φ(log), φ(r) = (exp(ar) − 1)/a + exp(−r) − 1 = Σ (a^(k−1) + (−1)^k) r^k/k!
    near = xp.abs(log) * max(1.0, abs(power)) < 0.1
    log = xp.where(near, log, 0)
    series: Array = 0.0
    for k in range(11, 1, -1):
        term = (power ** (k - 1) + (-1) ** k) / factorial(k)
        series = log * series + term
    return xp.where(near, x * log * log * series, far)


def sum_above_one(xp: ArrayModule, p: Array) -> Array:
    """Σp − 1 along the last axis of float64 from 0 to 1, to far more digits than Σp has.

    The parts that are multiples of 2⁻³⁰ sum without rounding, and the rest is small.
    """
    shift = 1.5 * 2**22
    coarse = (p + shift) - shift
    return (coarse.sum(axis=-1) - 1) + (p - coarse).sum(axis=-1)
