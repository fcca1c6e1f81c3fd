"""Is a difference more than chance? Tests of paired differences, from sums or from ranks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from lossctl.reduce import student

Floats = npt.NDArray[np.float64]

POWER = 0.8
"""The chance at which the detectable difference would be found."""
EXACT_RANKS = 50  # pairs up to which Wilcoxon's distribution is enumerated, as SciPy does


def student_p(difference: float, error: float, freedom: float) -> float:
    """Two-sided p of the t test; 1 where nothing differs at all, NaN where it says nothing."""
    if not math.isfinite(difference) or math.isnan(error) or not freedom > 0:
        return math.nan
    if error == 0:
        return 1.0 if difference == 0 else 0.0
    return 2 * student.cdf(-abs(difference / error), freedom)


def sign_p(below: int, above: int) -> float:
    """Two-sided p of the sign test: the exact binomial one, ties left out (Conover 1999)."""
    n, least = below + above, min(below, above)
    if n == 0:
        return 1.0
    # P(X ≤ k) for a fair coin is the incomplete beta function I_½(n − k, k + 1)
    return min(1.0, 2 * student.beta_ratio(n - least, least + 1, 0.5))


def wilcoxon_p(differences: Floats) -> float:
    """Two-sided p of the signed-rank test, zeros left out (Wilcoxon 1945).

    Exact up to 50 pairs without zeros and ties; else the normal distribution with the variance
    corrected for ties, as `scipy.stats.wilcoxon` has it by default.
    """
    found = differences[differences != 0]
    n = len(found)
    if n == 0:
        return 1.0
    values, inverse, counts = np.unique(np.abs(found), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positive = float(ranks[found > 0].sum())
    if len(differences) <= EXACT_RANKS and len(values) == n == len(differences):
        return _exact_ranks_p(n, round(positive))
    mean = n * (n + 1) / 4
    ties = float((counts.astype(float) ** 3 - counts).sum())
    variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48
    return math.erfc(abs(positive - mean) / math.sqrt(2 * variance))  # accurate in the tails


def _exact_ranks_p(n: int, positive: int) -> float:
    """The share of the 2ⁿ signs whose positive ranks are as far from half as these."""
    ways: list[int] = [1]  # of reaching each sum with the ranks so far
    for rank in range(1, n + 1):
        longer = ways + [0] * rank
        for total, count in enumerate(ways):
            longer[total + rank] += count
        ways = longer
    least = min(positive, n * (n + 1) // 2 - positive)
    return float(min(1.0, 2 * sum(ways[: least + 1]) / 2**n))


def resampled_p(resamples: Floats) -> float:
    """Two-sided p from bootstrapped differences: twice the smaller share beyond 0."""
    count = len(resamples)
    beyond = min(int((resamples <= 0).sum()), int((resamples >= 0).sum()))
    return min(1.0, 2 * (beyond + 1) / (count + 1))


def permuted_p(difference: float, permuted: Floats) -> float:
    """Two-sided p: twice the smaller share of permutations as far out, this one included."""
    slack = 1e-12 * abs(difference)  # what is equal but for rounding counts as equal
    low = int((permuted <= difference + slack).sum()) + 1
    high = int((permuted >= difference - slack).sum()) + 1
    return min(1.0, 2 * min(low, high) / (len(permuted) + 1))


def detectable(error: float, freedom: float, alpha: float) -> float:
    """The smallest true difference that the t test finds with a chance of 80 %."""
    if not math.isfinite(error) or not freedom > 0:
        return math.nan
    return (student.quantile(1 - alpha / 2, freedom) + student.quantile(POWER, freedom)) * error


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction, which bounds the chance of any false alarm."""
    known = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    found, largest = list(p_values), 0.0
    for place, (p, i) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - place)))
        found[i] = largest
    return found


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's correction, which bounds the share of false alarms."""
    known = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    found, least = list(p_values), 1.0
    for place, (p, i) in reversed(list(enumerate(known, 1))):
        least = min(least, p * len(known) / place)
        found[i] = least
    return found


CORRECTIONS: dict[str, Callable[[Sequence[float]], list[float]]] = {
    "holm": holm,
    "bh": benjamini_hochberg,
    "none": list,
}
TESTS = ("t", "bootstrap", "permutation", "sign", "wilcoxon")
