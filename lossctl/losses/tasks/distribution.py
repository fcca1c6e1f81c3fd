"""Distributions: rows of probabilities over the same bins, on the last axis; and two samples.

Differences of logs cancel: of nearly equal rows the terms t log(t/p) are of first order, and
their sum is of second. So all is computed in float64, and rows that lie close are computed
once more from terms that do not cancel.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import pairwise
from math import exp, inf, log
from typing import Any, NamedTuple

from lossctl.errors import SpecError
from lossctl.losses.definition import (
    REQUIRED,
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    Input,
    InvalidInput,
    Kernel,
    Param,
    loss,
)
from lossctl.losses.domains import DISTRIBUTION
from lossctl.losses.numerics import excess, log_ratio, logsumexp, ratio, sum_above_one
from lossctl.losses.pairs import blocks
from lossctl.losses.shared import shared

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
            average: str = "rows",
            **own: Any,
        ) -> Array | Elements:
            t = _rows(xp, target, "target", log_target)
            p = _rows(xp, prediction, "prediction", log_prediction)
            value = measure(xp, t, p, **own)
            if base is not None:
                value = value / log(base)
            if average == "rows":
                return value
            bins = float(prediction.shape[-1])
            return Elements(value / bins, xp.full_like(value, bins))

        based = (BASE,) if logarithmic else ()
        return loss(
            inputs=_ROWS,
            params=(*params, LOG_PREDICTION, LOG_TARGET, *based),
            unit="nats" if logarithmic else facts.pop("unit", ""),
            **facts,
        )(kernel)

    return register


@shared
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


@shared
def _relative_entropy(xp: ArrayModule, t: _Rows, p: _Rows) -> Array:
    """Σ t log(t/p)."""
    if t.given is None and p.given is None:  # one logarithm, where t/p is within range
        value = (t.p * xp.log(t.p / p.p)).sum(axis=-1)
    else:
        value = (t.p * (t.log(xp) - p.log(xp))).sum(axis=-1)

    def whole(t: _Rows, p: _Rows) -> Array:
        return xp.where(t.p == 0, p.p * 0, t.p * (t.log(xp) - p.log(xp))).sum(axis=-1)

    value = _refined(value, ~xp.isfinite(value), t, p, whole)
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
    traits=("asymmetric", "convex", "proper", "nonnegative", "zero"),
    reference="Kullback & Leibler 1951, On Information and Sufficiency, Ann. Math. Stat. 22",
    example=Example(_EXAMPLE, 0.45344204048512416),
    params=(
        Param(
            "average",
            "rows",
            "what the mean counts: the rows, or the bins of all rows",
            choices=("rows", "bins"),
        ),
        Param("floor", 0.0, "probabilities of both below it are raised to it", least=0, below=1),
        Param("strict_zeros", False, "whether 0 · log 0 is NaN, as 0 · ∞ is, and not 0"),
    ),
    conventions={
        "torch": Convention(
            "torch.nn.functional.kl_div",
            {"log_prediction": True, "average": "bins", "strict_zeros": True},
            note="log-predictions; the mean is over all bins; NaN where t = p = 0",
        ),
        "keras": Convention(
            "keras.losses.KLDivergence",
            {"floor": 1e-7},
            multiplies=True,
            empty=0.0,
            note="raises both probabilities to 1e-7, so that nothing is infinite",
        ),
        "optax": Convention(
            "optax.losses.kl_divergence",
            {"log_prediction": True, "strict_zeros": True},
            note="log-predictions; NaN where t = p = 0; per row, here its mean",
        ),
    },
    contrast={"prediction": [[0.25, 0.75, 0.0]], "target": [[0.5, 0.25, 0.25]]},
)
def kl_divergence(
    xp: ArrayModule, t: _Rows, p: _Rows, *, floor: float, strict_zeros: bool
) -> Array:
    if floor > 0:
        t, p = (_Rows(xp.clip(rows.p, floor, 1)) for rows in (t, p))
    value = _relative_entropy(xp, t, p)
    if strict_zeros:
        lost = t.log(xp) == -inf
        if t.given is None:  # from probabilities, libraries set 0 · log 0 of the target itself to 0
            lost &= p.log(xp) == -inf
        value = xp.where(lost.any(axis=-1), xp.nan, value)
    return value


@_divergence(
    logarithmic=True,
    aliases=("reverse_kl_divergence",),
    summary="Kullback-Leibler divergence of the target from the prediction",
    formula="Σ p log(p/t), per row; 0 where p = 0, infinite where t = 0 < p",
    use="Where mass outside the target's support must cost most; it forgives a missed mode, "
    "and is infinite against one-hot targets unless the prediction is one-hot too.",
    traits=("asymmetric", "convex", "nonnegative", "zero"),
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
    traits=("symmetric", "bounded", "convex", "nonnegative", "zero"),
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
    traits=("symmetric", "convex", "nonnegative", "zero"),
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
    traits=("symmetric", "bounded", "distance", "nonnegative", "zero"),
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
    traits=("symmetric", "bounded", "robust", "convex", "distance", "nonnegative", "zero"),
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
    traits=("asymmetric", "convex", "nonnegative", "zero"),
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
    traits=("asymmetric", "nonnegative", "zero"),
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
    traits=("symmetric", "nonnegative", "zero"),
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
    traits=("symmetric", "convex", "robust", "ordinal", "distance", "nonnegative", "zero"),
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


_SAMPLE = Input("prediction", "(N,)", help="one sample; the other may have another length")
_OTHER = Input("target", "(N,)", help="the sample to compare it with")
_TWO_SAMPLES = "sorted copies of both samples"


def _steps(xp: ArrayModule, prediction: Array, target: Array) -> tuple[Array, Array]:
    """Between neighbours of both samples together: |F − G| of their CDFs, and the distance."""
    first, second = (xp.sort(values.astype("float64")) for values in (prediction, target))
    joined = xp.sort(xp.concatenate([first, second]))
    below = [xp.searchsorted(own, joined[:-1], side="right") for own in (first, second)]
    # |i/n − j/m| of whole numbers, which subtract without rounding
    n, m = len(first), len(second)
    apart = xp.abs(below[0].astype("int64") * m - below[1].astype("int64") * n)
    gaps = xp.diff(joined)
    # what is infinite in both samples is no distance, but NaN is to be seen
    level = (joined[1:] == joined[:-1]) | ((apart == 0) & ~xp.isnan(gaps))
    return apart / (float(n) * float(m)), xp.where(level, 0, gaps)


@loss(
    aliases=("emd_samples",),
    summary="Wasserstein distance (W₁) between two samples",
    formula="∫ |F(x) − G(x)| dx, F and G the samples' empirical CDFs",
    inputs=(_SAMPLE, _OTHER),
    whole=True,
    single=True,
    unpaired=True,
    memory=_TWO_SAMPLES,
    unit="target",
    use="Whether predictions are distributed as targets are, whatever their order: how far "
    "values must move, on average. A perfect forecast in the wrong rows scores 0.",
    traits=("symmetric", "robust", "distance", "nonnegative", "zero"),
    reference="Vallender 1974, Theory Probab. Appl. 18; as scipy.stats.wasserstein_distance",
    example=Example({"prediction": [0.0, 1.0, 3.0], "target": [5.0, 6.0, 8.0]}, 5.0),
)
def wasserstein_samples(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    apart, gaps = _steps(xp, prediction, target)
    return (apart * gaps).sum()


@loss(
    summary="Energy distance between two samples",
    formula="√(2 E|X − Y| − E|X − X'| − E|Y − Y'|) = √(2 ∫ (F(x) − G(x))² dx), over all pairs,\n"
    "F and G the samples' empirical CDFs",
    inputs=(_SAMPLE, _OTHER),
    whole=True,
    single=True,
    unpaired=True,
    memory=_TWO_SAMPLES,
    unit="√target",
    use="As wasserstein_samples; it grows with the root of a shift, and minds a small share of "
    "far values less.",
    traits=("symmetric", "robust", "distance", "nonnegative", "zero"),
    reference="Székely & Rizzo 2013, J. Stat. Plan. Inference 143; as scipy.stats.energy_distance",
    example=Example({"prediction": [0.0, 8.0], "target": [0.0, 8.0, 8.0, 8.0]}, 1.0),
)
def energy_distance(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    apart, gaps = _steps(xp, prediction, target)
    return xp.sqrt(2 * (apart * apart * gaps).sum())


@loss(
    aliases=("maximum_mean_discrepancy", "mmd"),
    summary="Maximum mean discrepancy (MMD²) of two samples under a Gaussian kernel, unbiased",
    formula="Σ_{i≠j} k(xᵢ, xⱼ) / n(n − 1) + Σ_{i≠j} k(yᵢ, yⱼ) / m(m − 1) − 2 Σ k(xᵢ, yⱼ) / nm,\n"
    "k(x, y) = exp(−‖x − y‖² / 2h²)",
    inputs=(
        _SAMPLE._replace(shape="(N,) or (N, D)"),
        _OTHER._replace(shape="(N,) or (N, D)"),
    ),
    params=(
        Param(
            "bandwidth",
            REQUIRED,
            "h, the distance at which two values are still alike",
            kind="number",
            above=0,
            below=inf,
            unit="target",
        ),
    ),
    whole=True,
    single=True,
    unpaired=True,
    memory="copies of both samples and some 10 MB; its time grows with n·m",
    use="Whether two samples of vectors come from one distribution. Unbiased, it is 0 on "
    "average where they do, and so often below 0; all hangs on the bandwidth, so state it.",
    traits=("symmetric", "bounded"),
    reference="Gretton et al. 2012, A Kernel Two-Sample Test, JMLR 13, lemma 6",
    example=Example(
        {"prediction": [0.0, 0.0], "target": [2.0, 2.0]}, 2 - 2 * exp(-2.0), {"bandwidth": 1.0}
    ),
)
def mmd_rbf(xp: ArrayModule, prediction: Array, target: Array, *, bandwidth: float) -> Array:
    x, y = (values.astype("float64").reshape(len(values), -1) for values in (prediction, target))
    if x.shape[1] != y.shape[1]:
        raise InvalidInput(
            "prediction",
            None,
            f"has {x.shape[1]} components in a row, and target {y.shape[1]}",
            "the vectors of both samples have the same components",
        )
    n, m = len(x), len(y)
    if n < 2 or m < 2:
        return xp.asarray(xp.nan)  # no two values to compare within a sample
    middle = (x.sum(axis=0) + y.sum(axis=0)) / (n + m)
    spread = sum(
        (z.var(axis=0) + xp.square(z.mean(axis=0) - middle)).sum() * len(z) for z in (x, y)
    ) / (n + m)
    if x.shape[1] > _FEW:  # their products cancel less around the middle
        x -= middle
        y -= middle
    # the three means' factors add to 0: k − 1 serves as k does, and is exact where k is near 1
    kernel = xp.expm1 if bool(xp.sqrt(spread) < bandwidth) else xp.exp

    def total(x: Array, y: Array, pairs: bool) -> Array:
        return _kernel_sum(xp, kernel, x, y, bandwidth, pairs)

    within = [2 * total(z, z, True) / (len(z) * (len(z) - 1.0)) for z in (x, y)]
    return within[0] + within[1] - 2 * total(x, y, False) / (float(n) * m)


_FEW = 4  # components up to which differences are squared one by one, and lose nothing


def _kernel_sum(
    xp: ArrayModule,
    kernel: Callable[..., Array],
    x: Array,
    y: Array,
    bandwidth: float,
    pairs: bool,
) -> Array:
    """Σ of the kernel over x and y; with `pairs`, which is for x = y, over i < j only."""
    sums = []
    for rows in blocks(len(x), len(y)):
        values = _halved_squares(xp, x[rows], y[rows.start :] if pairs else y)
        values /= bandwidth
        values /= bandwidth
        kernel(values, out=values)
        if pairs:
            size = len(values)
            values[:, :size] = xp.triu(values[:, :size], 1)
        sums.append(values.sum())
    return xp.stack(sums).sum()


def _halved_squares(xp: ArrayModule, x: Array, y: Array) -> Array:
    """−½‖x − y‖² of each row of x and each of y."""
    if x.shape[1] > _FEW:
        values = x @ y.T
        values -= 0.5 * xp.square(x).sum(axis=1)[:, None]
        values -= 0.5 * xp.square(y).sum(axis=1)
        return xp.minimum(values, 0, out=values)
    values = xp.zeros((len(x), len(y)))
    for left, right in zip(x.T, y.T):
        gap = left[:, None] - right
        gap *= gap
        values -= gap
    values *= 0.5
    return values
