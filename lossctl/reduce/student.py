"""Student's t distribution, as far as an interval of a mean needs it."""

from __future__ import annotations

import math
from functools import lru_cache


def cdf(t: float, df: float) -> float:
    """P(T ≤ t), by the continued fraction of the incomplete beta function."""
    x = df / (df + t * t)
    tail = 0.5 * beta_ratio(df / 2, 0.5, x)
    return tail if t < 0 else 1 - tail


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
    scale = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    return math.exp(scale - 0.5 * (df + 1) * math.log1p(t * t / df))


def beta_ratio(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function Iₓ(a, b)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    front = math.exp(log_front)
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Lentz's evaluation of the continued fraction (DLMF 8.17.22)."""
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    result = d
    for m in range(1, 500):
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
