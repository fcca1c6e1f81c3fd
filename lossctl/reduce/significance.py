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
EXACT_RANKS = 50  # pairs up to which Wilcoxon's distribution is enumerated


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
    if below == above:
        return 1.0
    # P(X ≤ k) for a fair coin is the incomplete beta function I_½(n − k, k + 1)
    return min(1.0, 2 * student.beta_ratio(n - least, least + 1, 0.5, 0.5))


def signed_ranks(differences: Floats) -> Floats:
    """The rank of each difference's size, with its sign; zeros are left out."""
    found = differences[differences != 0]
    _, inverse, counts = np.unique(np.abs(found), return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    signed: Floats = np.copysign(ranks, found)
    return signed


def wilcoxon_p(signed: Floats) -> float:
    """Two-sided p of the signed-rank test, from the signed ranks (Wilcoxon 1945).

    Exact up to 50 pairs that differ, with ties too (the distribution over all signs of these
    ranks); beyond that normal, with the variance corrected for ties, as `scipy.stats.wilcoxon`.
    """
    n, ranks = len(signed), np.abs(signed)
    if n == 0:
        return 1.0
    positive = float(ranks[signed > 0].sum())
    if n <= EXACT_RANKS:
        return _exact_ranks_p(ranks, positive)
    variance = float((ranks**2).sum()) / 4  # which ties lower
    return math.erfc(abs(positive - n * (n + 1) / 4) / math.sqrt(2 * variance))


def _exact_ranks_p(ranks: Floats, positive: float) -> float:
    """The share of the 2ⁿ signs whose positive ranks are as far from half as these."""
    doubled = np.rint(2 * ranks).astype(np.intp)  # tied ranks are halves
    total = int(doubled.sum())
    ways = np.zeros(total + 1)  # of reaching each sum with the ranks so far; 2⁵⁰ is exact
    ways[0] = 1
    for rank in doubled.tolist():
        ways[rank:] = ways[rank:] + ways[:-rank]
    least = round(2 * positive)
    least = min(least, total - least)
    return min(1.0, 2 * float(ways[: least + 1].sum()) / 2.0 ** len(ranks))


def resampled_p(resamples: Floats) -> float:
    """Two-sided p from bootstrapped differences: twice the smaller share beyond 0."""
    count = len(resamples)
    if not np.isfinite(resamples).all():
        return math.nan
    beyond = min(int((resamples <= 0).sum()), int((resamples >= 0).sum()))
    return min(1.0, 2 * (beyond + 1) / (count + 1))


def permuted_p(difference: float, permuted: Floats, every: bool) -> float:
    """Two-sided p: twice the smaller share of permutations as far out, this one included.

    Args:
        difference: What was found.
        permuted: What the permutations give.
        every: Whether they are all that there are, this one among them.
    """
    if not (math.isfinite(difference) and np.isfinite(permuted).all()):
        return math.nan
    slack = 1e-12 * abs(difference)  # what is equal but for rounding counts as equal
    low, high = (int(found.sum()) for found in (
        permuted <= difference + slack, permuted >= difference - slack,
    ))  # fmt: skip
    this = 0 if every else 1
    return min(1.0, 2 * (min(low, high) + this) / (len(permuted) + this))


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
