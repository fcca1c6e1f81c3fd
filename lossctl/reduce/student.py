"""Student's t distribution, as far as an interval of a mean needs it."""

from __future__ import annotations

import math
from functools import lru_cache


def cdf(t: float, df: float) -> float:
    """P(T ≤ t), by the continued fraction of the incomplete beta function.

    Of many degrees of freedom by the normal distribution at a transformed t (Hill 1970,
    Algorithm 395), where what is left out is below the rounding.
    """
    square = t * t
    if df > _MANY:
        near, b = df - 0.5, 48 * (df - 0.5) ** 2
        z = math.sqrt(near * math.log1p(square / df))
        tail = 0.5 * math.erfc((z + (z**3 + 3 * z) / b) / math.sqrt(2))
    else:
        tail = 0.5 * beta_ratio(df / 2, 0.5, df / (df + square), square / (df + square))
    return tail if t < 0 else 1 - tail


_MANY = 1e5


@lru_cache(maxsize=1 << 16)  # groups often are of one size
def quantile(level: float, df: float) -> float:
    """The t with P(T ≤ t) = level, for level ≥ 0.5.

    By Newton's steps from 0: right of it the distribution function is concave, so that no
    step goes too far.
    """
    t = 0.0
    for _ in range(200):
        step = (level - cdf(t, df)) / _density(t, df)
        t += step
        if step <= 1e-15 * t:
            break
    return t


def _density(t: float, df: float) -> float:
    scale = -_log_beta(df / 2, 0.5) - 0.5 * math.log(df)
    return math.exp(scale - 0.5 * (df + 1) * math.log1p(t * t / df))


def beta_ratio(a: float, b: float, x: float, y: float) -> float:
    """The regularised incomplete beta function Iₓ(a, b); y is 1 − x, which x alone may lose."""
    if x <= 0 or y <= 0:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(_log_front(a, b, x, y))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, y) / b


def _log_front(a: float, b: float, x: float, y: float) -> float:
    """log of xᵃyᵇ/B(a, b)."""
    if min(a, b) < _LARGE:
        log_x = math.log(x) if x < 0.5 else math.log1p(-y)
        return a * log_x + b * math.log(y) - _log_beta(a, b)
    # both large: what would cancel is the sum of n·x·φ(e), φ(e) = (1 + e)log(1 + e) − e
    n = a + b
    apart = sum(
        n * share * ((1 + e) * math.log1p(e) - e)
        for share, e in ((x, a / (n * x) - 1), (y, b / (n * y) - 1))
    )
    scale = 0.5 * math.log(a / n * b / (2 * math.pi))
    return scale - apart + _stirling(n) - _stirling(a) - _stirling(b)


def _log_beta(a: float, b: float) -> float:
    """log B(a, b) of a small b, or of two small ones."""
    if a < _LARGE:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    # log Γ(a + b) − log Γ(a) without the cancellation of two large numbers
    growth = (a - 0.5) * math.log1p(b / a) + b * math.log(a + b) - b
    return math.lgamma(b) - growth - _stirling(a + b) + _stirling(a)


_LARGE = 20.0


def _stirling(z: float) -> float:
    """What Stirling's formula of log Γ(z) lacks, for z of 20 and more."""
    return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * z * z)) / (z * z)) / (z * z)) / z


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's evaluation of the continued fraction (DLMF 8.17.22)."""
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    result = d
    # it takes about the square root of the larger parameter
    for m in range(1, 500 + 5 * math.isqrt(int(max(a, b)))):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + term * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + term / c
            c = c if abs(c) > tiny else tiny
            result *= d * c
        if abs(d * c - 1) < 1e-16:
            break
    return result
