"""Formulas that many losses share, written to be stable for every input."""

from __future__ import annotations

from math import factorial

from lossctl.losses.definition import Array, ArrayModule


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


def ordered_sum(xp: ArrayModule, x: Array, axis: int = -1) -> Array:
    """Σ along the first or the last axis, bit for bit the same however long the others are."""
    if axis != 0:
        return x.sum(axis=axis)
    total = x[0].copy()  # NumPy adds a single column in another order than many
    for row in x[1:]:
        total += row
    return total


def log_softmax(xp: ArrayModule, x: Array, axis: int = -1) -> Array:
    """log of softmax along an axis, accurate where it is next to 0 too."""
    shifted = x - x.max(axis=axis, keepdims=True)
    odds = xp.exp(shifted)
    top = odds == 1  # left out of the sum: log1p of the rest keeps all digits
    rest = ordered_sum(xp, xp.where(top, 0, odds), axis)
    rest = rest + (top.sum(axis=axis) - 1).astype(x.dtype)
    return shifted - xp.expand_dims(xp.log1p(rest), axis)


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
