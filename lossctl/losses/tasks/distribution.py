"""Distributions: rows of probabilities over the same bins, on the last axis.

Differences of logs cancel: of nearly equal rows the terms t log(t/p) are of first order, and
their sum is of second. So all is computed in float64, and rows that lie close are computed
once more from terms that do not cancel.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import pairwise
from math import inf, log
from typing import Any, NamedTuple

from lossctl.errors import SpecError
from lossctl.losses.definition import (
    REQUIRED,
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    InvalidInput,
    Kernel,
    Param,
    loss,
)
from lossctl.losses.domains import DISTRIBUTION
from lossctl.losses.numerics import excess, log_ratio, logsumexp, ratio, sum_above_one

LOG_PREDICTION = Param("log_prediction", False, "prediction holds log-probabilities")
LOG_TARGET = Param("log_target", False, "target holds log-probabilities")
BASE = Param(
    "base", None, "of the logarithm: none is e, for nats; 2 is for bits", kind="number", above=1
)

_ROWS = (
    Input("prediction", "(N, …, K)", DISTRIBUTION, unless="log_prediction"),
    Input("target", "(N, …, K)", DISTRIBUTION, unless="log_target"),
)
_LOG_TOLERANCE = 1e-2  # what the logs of a thousand classes lose in float16
_CLOSE = 1e-2  # a divergence below it has lost two digits, and is computed with care


class _Rows(NamedTuple):
    """Probabilities (n, …, K), and their logs where these were given."""

    p: Array
    given: Array | None = None

    def log(self, xp: ArrayModule) -> Array:
        """Their logs; those given reach below the smallest float."""
        return xp.log(self.p) if self.given is None else self.given

    def at(self, which: Array) -> _Rows:
        """The rows picked by a mask (n, …)."""
        return _Rows(self.p[which], None if self.given is None else self.given[which])


Divergence = Callable[..., Array]  # (xp, target, prediction, **params) -> (n, …)


def _divergence(
    params: tuple[Param, ...] = (), logarithmic: bool = False, **facts: Any
) -> Callable[[Divergence], Kernel]:
    """Register a function of two `_Rows`; a `logarithmic` one is divided by log base."""

    def register(measure: Divergence) -> Kernel:
        @wraps(measure)
        def kernel(
            xp: ArrayModule,
            prediction: Array,
            target: Array,
            *,
            log_prediction: bool,
            log_target: bool,
            base: float | None = None,
            **own: Any,
        ) -> Array:
            t = _rows(xp, target, "target", log_target)
            p = _rows(xp, prediction, "prediction", log_prediction)
            value = measure(xp, t, p, **own)
            return value if base is None else value / log(base)

        based = (BASE,) if logarithmic else ()
        return loss(
            inputs=_ROWS,
            params=(*params, LOG_PREDICTION, LOG_TARGET, *based),
            unit="nats" if logarithmic else facts.pop("unit", ""),
            **facts,
        )(kernel)

    return register


def _rows(xp: ArrayModule, values: Array, name: str, in_logs: bool) -> _Rows:
    """Probabilities of an input; log-probabilities are checked, as no domain does that."""
    values = values.astype("float64", copy=False)
    if not in_logs:
        return _Rows(values)
    p = xp.exp(values)
    total = p.sum(axis=-1)
    off = xp.abs(total - 1) > _LOG_TOLERANCE
    if bool(off.any()):
        raise InvalidInput(
            name,
            off[..., None] & (values == values),
            f"has log-probabilities whose exponentials sum to {float(total[off][0]):.6g}, not to 1",
            f"take log_softmax of logits; leave out log_{name}=true where these are probabilities",
        )
    return _Rows(p, values)


def _difference(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    """t − p, from the logs where both were given: they still differ where exp rounds."""
    if t.given is None or p.given is None:
        return t.p - p.p
    gap = xp.where(t.given == p.given, 0, t.given - p.given)
    return xp.where(gap > 0, -xp.expm1(-gap) * t.p, xp.expm1(gap) * p.p)


def _sum_difference(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    """Σ(t − p): 0 but for the rounding of rows that sum to 1."""
    if t.given is None and p.given is None:
        return sum_above_one(xp, t.p) - sum_above_one(xp, p.p)
    return _difference(xp, t, p).sum(axis=-1)


def _refined(
    value: Array, close: Array, t: _Rows, p: _Rows, careful: Callable[[_Rows, _Rows], Array]
) -> Array:
    """The value, where rows are close replaced by what the careful way gives."""
    if bool(close.any()):
        value[close] = careful(t.at(close), p.at(close))
    return value


def _excess(xp: ArrayModule, t: _Rows, p: _Rows, power: float = 0.0) -> Array:
    terms = excess(xp, t.p, p.p, t.log(xp), p.log(xp), _difference(xp, t, p), power)
    return terms.sum(axis=-1)


def _relative_entropy(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    """Σ t log(t/p)."""
    terms = xp.where(t.p == 0, p.p * 0, t.p * (t.log(xp) - p.log(xp)))
    value = terms.sum(axis=-1)
    return _refined(
        value, value < _CLOSE, t, p, lambda t, p: _excess(xp, t, p) + _sum_difference(xp, t, p)
    )


_PREDICTION = [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]
_TARGET = [[0.1, 0.6, 0.3], [0.5, 0.0, 0.5]]
_POSITIVE_TARGET = [[0.1, 0.6, 0.3], [0.5, 0.25, 0.25]]
_EXAMPLE = {"prediction": _PREDICTION, "target": _TARGET}
_POSITIVE_EXAMPLE = {"prediction": _PREDICTION, "target": _POSITIVE_TARGET}


@_divergence(
    logarithmic=True,
    aliases=("kl", "kld", "kullback_leibler"),
    summary="Kullback-Leibler divergence of the prediction from the target",
    formula="Σ t log(t/p), per row; 0 where t = 0, infinite where p = 0 < t",
    use="Against soft targets, as in distillation: the nats lost by believing p. One bin with "
    "p near 0 and t above it can rule the mean.",
    traits=("asymmetric", "convex", "proper"),
    reference="Kullback & Leibler 1951, On Information and Sufficiency, Ann. Math. Stat. 22",
    example=Example(_EXAMPLE, 0.45344204048512416),
    conventions={
        "optax": Convention(
            "optax.losses.kl_divergence", {"log_prediction": True}, note="log-predictions"
        )
    },
)
def kl_divergence(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    return _relative_entropy(xp, t, p)


@_divergence(
    logarithmic=True,
    aliases=("reverse_kl_divergence",),
    summary="Kullback-Leibler divergence of the target from the prediction",
    formula="Σ p log(p/t), per row; 0 where p = 0, infinite where t = 0 < p",
    use="Where mass outside the target's support must cost most; it forgives a missed mode, "
    "and is infinite against one-hot targets unless the prediction is one-hot too.",
    traits=("asymmetric", "convex"),
    reference="Kullback & Leibler 1951; as exclusive KL, Bishop 2006, PRML 10.1.2",
    example=Example(_POSITIVE_EXAMPLE, 0.12927921087707223),
)
def reverse_kl(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    return _relative_entropy(xp, p, t)


@_divergence(
    logarithmic=True,
    aliases=("js", "jensen_shannon"),
    summary="Jensen-Shannon divergence (not its root)",
    formula="½ Σ t log(t/m) + ½ Σ p log(p/m) with m = (t + p)/2, per row",
    use="A symmetric KL that stays finite with zeros on either side; at most log 2.",
    traits=("symmetric", "bounded", "convex"),
    reference="Lin 1991, Divergence Measures Based on the Shannon Entropy, IEEE Trans. IT 37",
    example=Example(_EXAMPLE, 0.11281856052887825),
)
def js_divergence(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    log_middle = xp.log(0.5 * (t.p + p.p))
    terms = xp.where(t.p == 0, 0, t.p * (t.log(xp) - log_middle))
    terms += xp.where(p.p == 0, 0, p.p * (p.log(xp) - log_middle))
    value = 0.5 * terms.sum(axis=-1)

    def careful(t: _Rows, p: _Rows) -> Array:
        middle = 0.5 * (t.p + p.p)
        log_middle, half = xp.log(middle), 0.5 * _difference(xp, t, p)
        terms = excess(xp, t.p, middle, t.log(xp), log_middle, half)
        terms += excess(xp, p.p, middle, p.log(xp), log_middle, -half)
        return 0.5 * terms.sum(axis=-1)  # the sums of t − m and p − m are opposite

    return _refined(value, value < _CLOSE, t, p, careful)


@_divergence(
    logarithmic=True,
    aliases=("symmetric_kl",),
    summary="Jeffreys' divergence: both Kullback-Leibler divergences, added",
    formula="Σ (t − p) log(t/p), per row; infinite where only one of them is 0",
    use="A symmetric KL for distributions that are positive everywhere, as binned scores are "
    "in the population stability index.",
    traits=("symmetric", "convex"),
    reference="Jeffreys 1946, An invariant form for the prior probability, Proc. R. Soc. A 186",
    example=Example(_POSITIVE_EXAMPLE, 0.27210792013869636),
)
def jeffreys(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    difference = _difference(xp, t, p)
    terms = xp.where(difference == 0, 0, difference * (t.log(xp) - p.log(xp)))
    value = terms.sum(axis=-1)

    def careful(t: _Rows, p: _Rows) -> Array:
        difference = _difference(xp, t, p)
        gap = log_ratio(xp, t.p, p.p, t.log(xp), p.log(xp), difference)
        return (difference * gap).sum(axis=-1)

    return _refined(value, value < _CLOSE, t, p, careful)


@_divergence(
    aliases=("hellinger_distance",),
    summary="Hellinger distance",
    formula="√(½ Σ (√t − √p)²), per row",
    use="A true distance from 0 to 1 that is finite with zeros and tells small bins apart.",
    traits=("symmetric", "bounded"),
    reference="Hellinger 1909, J. reine angew. Math. 136; with the factor 1/√2",
    example=Example(_EXAMPLE, 0.34751374082225263),
)
def hellinger(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    if t.given is not None and p.given is not None:
        halves = _Rows(xp.sqrt(t.p), 0.5 * t.given), _Rows(xp.sqrt(p.p), 0.5 * p.given)
        roots = _difference(xp, *halves)
    else:
        roots = ratio(xp, t.p - p.p, xp.sqrt(t.p) + xp.sqrt(p.p))
    return xp.sqrt(0.5 * xp.square(roots).sum(axis=-1))


@_divergence(
    aliases=("tvd",),
    summary="Total variation distance",
    formula="½ Σ |t − p|, per row",
    use="The largest difference in the probability of any event, from 0 to 1.",
    traits=("symmetric", "bounded", "robust", "convex"),
    reference="Levin, Peres & Wilmer 2009, Markov Chains and Mixing Times, ch. 4",
    example=Example(_EXAMPLE, 0.35),
)
def total_variation_distance(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    return 0.5 * xp.abs(_difference(xp, t, p)).sum(axis=-1)


@_divergence(
    aliases=("chi2", "chi_squared_divergence"),
    summary="Pearson's chi-squared divergence",
    formula="Σ (t − p)²/p, per row; infinite where p = 0 < t",
    use="Observed shares against expected ones; very sensitive to bins where p is near 0.",
    traits=("asymmetric", "convex"),
    reference="Pearson 1900, Phil. Mag. 50",
    example=Example(_EXAMPLE, 1.1733333333333333),
)
def chi_squared(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    if p.given is None:
        difference = _difference(xp, t, p)
        return ratio(xp, difference * difference, p.p).sum(axis=-1)
    # p may be below the smallest float: p (t/p − 1)² from logs, of the larger taken out
    log_p, log_t = p.given, t.log(xp)
    gap = xp.where(log_t == log_p, 0, log_t - log_p)
    size = xp.log(-xp.expm1(-xp.abs(gap)))
    return xp.exp(xp.where(gap > 0, 2 * log_t - log_p, log_p) + 2 * size).sum(axis=-1)


def _renyi(xp: ArrayModule, t: _Rows, p: _Rows, alpha: float) -> Array:
    """log(Σ t^α p^(1−α)) / (α − 1), and its limit at α = 1."""
    if alpha == 1:
        return _relative_entropy(xp, t, p)
    power = alpha - 1
    log_t, log_p = t.log(xp), p.log(xp)
    # where t = 0 so is the term, whatever p is but NaN
    exponent = xp.where(log_t == -inf, p.p * 0 - inf, alpha * log_t - power * log_p)
    total = logsumexp(xp, exponent)

    def careful(t: _Rows, p: _Rows) -> Array:
        growth = _excess(xp, t, p, power) + _sum_difference(xp, t, p)
        return xp.log1p(power * growth + sum_above_one(xp, t.p)) / power

    close = xp.abs(total) < _CLOSE * max(1.0, alpha)
    return _refined(total / power, close, t, p, careful) + 0.0  # no −0


@_divergence(
    logarithmic=True,
    summary="Rényi divergence of order alpha of the prediction from the target",
    formula="log(Σ t^α p^(1−α)) / (α − 1), per row; at α = 1 the Kullback-Leibler divergence",
    params=(Param("alpha", REQUIRED, "the order; 1 is KL", kind="number", above=0, below=inf),),
    use="Between forgiving (alpha below 1, finite with zeros that do not cover the support) "
    "and strict (above 1: ruled by the bins that p rates too low).",
    traits=("asymmetric",),
    reference="Rényi 1961, On Measures of Entropy and Information; van Erven & Harremoës 2014",
    example=Example(_EXAMPLE, 0.71405792798661464, {"alpha": 2.0}),
)
def renyi(xp: ArrayModule, t: _Rows, p: _Rows, *, alpha: float) -> Array:
    return _renyi(xp, t, p, alpha)


@_divergence(
    logarithmic=True,
    aliases=("bhattacharyya_distance",),
    summary="Bhattacharyya distance",
    formula="−log Σ √(t p), per row; infinite where the rows share no bin",
    use="Overlap of two histograms; finite with zeros, unlike KL, and no true distance.",
    traits=("symmetric",),
    reference="Bhattacharyya 1943, Bull. Calcutta Math. Soc. 35",
    example=Example(_EXAMPLE, 0.15389861708121569),
)
def bhattacharyya(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    return 0.5 * _renyi(xp, t, p, 0.5)


@_divergence(
    aliases=("emd", "earth_movers_distance"),
    summary="Wasserstein distance (W₁) between histograms over ordered bins",
    formula="Σ_k |T_k − P_k| (x_{k+1} − x_k), per row; T, P cumulated, x the bins' positions",
    params=(
        Param(
            "positions",
            None,
            "where each bin lies, ascending; none is 0 … K−1",
            kind="numbers",
            unit="positions",
        ),
    ),
    unit="positions",
    use="Ordered bins (ages, grades, histograms), where a miss by one bin is better than by "
    "ten; it grows with the positions' scale.",
    traits=("symmetric", "convex", "robust"),
    reference="Vallender 1974, Theory Probab. Appl. 18; as scipy.stats.wasserstein_distance",
    example=Example(_EXAMPLE, 0.7, {"positions": (0.0, 1.0, 3.0)}),
)
def wasserstein(
    xp: ArrayModule, t: _Rows, p: _Rows, *, positions: tuple[float, ...] | float | None
) -> Array:
    moved = xp.cumsum(_difference(xp, t, p), axis=-1)
    work = xp.abs(moved[..., :-1])
    if positions is not None:
        listed = positions if isinstance(positions, tuple) else (positions,)
        work *= xp.asarray(_gaps(listed, t.p.shape[-1]))
    # what is left at the end is rounding, but NaN there is the row's
    return work.sum(axis=-1) + moved[..., -1] * 0


def _gaps(positions: tuple[float, ...], bins: int) -> list[float]:
    if len(positions) != bins:
        raise InvalidInput(
            "prediction",
            None,
            f"has {bins} bins, but positions has {len(positions)}",
            "give positions one number for each bin, in their order: positions=[…]",
        )
    gaps = [after - before for before, after in pairwise(positions)]
    if not all(0 < gap < inf for gap in gaps):
        raise SpecError(
            "wasserstein: positions must ascend, and be finite",
            "put the columns and their positions into ascending order",
        )
    return gaps
