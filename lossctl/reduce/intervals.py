"""Confidence intervals of a value, from sums alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lossctl.reduce.student import quantile
from lossctl.report import Interval

Floats = npt.NDArray[np.float64]
Value = Callable[[Floats], float]  # of the columns' totals


class Spread(NamedTuple):
    """A standard error and its degrees of freedom."""

    error: float
    freedom: float


def gradient(value: Value, totals: Floats) -> Floats:
    """The partial derivatives of a value by the totals, by central differences."""
    found = np.zeros_like(totals)
    scale = float(np.abs(totals).max(initial=0)) or 1.0
    for index, total in enumerate(totals):
        step = 1e-6 * (abs(total) or scale)
        ahead, behind = totals.copy(), totals.copy()
        ahead[index] += step
        behind[index] -= step
        found[index] = (value(ahead) - value(behind)) / (ahead[index] - behind[index])
    return found


def around(centre: float, spread: Spread, level: float, method: str) -> Interval | None:
    """Student's interval; None where there is no spread to speak of."""
    if not math.isfinite(spread.error) or not math.isfinite(centre):
        return None
    half = quantile(0.5 + level / 2, spread.freedom) * spread.error
    return Interval(level, centre - half, centre + half, method)


def of_clusters(value: Value, units: Floats) -> Spread:
    """The spread where the units (G, columns), not their rows, are independent.

    Args:
        value: Of the columns' totals.
        units: The columns' sums in each of the G clusters.
    """
    count = len(units)
    if count < 2:
        return Spread(math.nan, count - 1)
    slope = gradient(value, units.sum(axis=0))
    influence = (units - units.mean(axis=0)) @ slope
    return Spread(math.sqrt(count / (count - 1) * float(influence @ influence)), count - 1)


def resampled(
    value: Value, totals: Floats, replicates: Floats, level: float, method: str
) -> Interval | None:
    """The percentile or the BCa interval of resampled totals.

    Args:
        value: Of the columns' totals.
        totals: Of the samples themselves.
        replicates: (resamples, columns), of each resample.
        level: The confidence level.
        method: "bca" or "percentile". BCa's acceleration is a sixth of the skewness of the
            resampled linear part of the value (Efron 1987), its bias the share of resamples
            below the value.
    """
    centre = value(totals)
    found = np.array([value(item) for item in replicates])
    if not math.isfinite(centre) or not np.isfinite(found).all():
        return None
    shares = np.array([0.5 - level / 2, 0.5 + level / 2])
    if method == "bca":
        linear = replicates @ gradient(value, totals)
        shares = _corrected(shares, found, centre, linear)
    if not np.isfinite(shares).all():
        return None
    low, high = np.quantile(found, shares).tolist()
    return Interval(level, low, high, method)


def _corrected(shares: Floats, found: Floats, centre: float, linear: Floats) -> Floats:
    """The shares at which BCa takes its quantiles; NaN where there are none."""
    below = ((found < centre).mean() + (found <= centre).mean()) / 2
    deviations = linear - linear.mean()
    spread = float(np.sqrt(np.mean(deviations**2)))
    if not 0 < below < 1 or spread == 0:
        return np.full(2, np.nan)
    from statistics import NormalDist  # imports much, for what most evaluations do without

    normal = NormalDist()
    bias = normal.inv_cdf(float(below))
    acceleration = float(np.mean(deviations**3)) / spread**3 / 6
    places = [bias + normal.inv_cdf(float(share)) for share in shares]
    return np.array([normal.cdf(bias + z / (1 - acceleration * z)) for z in places])
