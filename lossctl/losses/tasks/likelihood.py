"""Counts and likelihoods: predicted distributions against what was observed."""

from __future__ import annotations

from itertools import pairwise
from math import log, pi, sqrt

from lossctl.errors import SpecError
from lossctl.losses.definition import (
    REQUIRED,
    TARGET,
    Array,
    ArrayModule,
    Convention,
    Domain,
    Example,
    Input,
    InvalidInput,
    Param,
    loss,
)
from lossctl.losses.domains import NON_NEGATIVE, POSITIVE, require
from lossctl.losses.numerics import excess, ratio, weighed

_HALF_LOG_2PI = 0.5 * log(2 * pi)

STRICT = Param(
    "strict", False, "a count that is no whole number has probability 0, and infinite loss"
)
UNDERFLOW = Param(
    "underflow",
    False,
    "a density too small for the inputs' own type is 0, and the loss infinite",
)
_VANISHES = {"float32": 150 * log(2), "float64": 1075 * log(2)}
"""The x from which on exp(−x) is 0: half the smallest float of the type."""
_DENSITY = "by way of the density: infinite where that underflows, NaN where its factors overflow"


def _parameter(
    xp: ArrayModule, value: Array | float, name: str, domain: Domain = POSITIVE
) -> Array:
    """An input that may be a constant, in float64; the constant's domain is checked here."""
    value = xp.asarray(value, dtype="float64")
    if not value.ndim and not (value > 0 or (value == 0 and domain is NON_NEGATIVE)):
        why = "not above 0" if domain is POSITIVE else "below 0"
        raise InvalidInput(name, None, f"is {float(value):g}, {why}")
    return value


def _wide(*arrays: Array) -> tuple[Array, ...]:
    """The arrays in float64: terms of both signs leave too few digits of a float32."""
    return tuple(array.astype("float64", copy=False) for array in arrays)


def _underflowing(
    xp: ArrayModule, values: Array, exponent: Array, underflow: bool, *inputs: Array
) -> Array:
    """The values; infinite, if `underflow`, where exp(−exponent) is 0 in the inputs' type."""
    if not underflow:
        return values
    return xp.where(exponent > _VANISHES[xp.result_type(*inputs).name], xp.inf, values)


@loss(
    aliases=("poisson_nll",),
    summary="Poisson negative log likelihood",
    formula="ŷ − y log ŷ; of a log rate exp ŷ − yŷ; full adds log Γ(y + 1)",
    unit="nats",
    inputs=(
        Input("prediction", domain=NON_NEGATIVE, unless="log_input", help="the rate"),
        Input("target", domain=NON_NEGATIVE, help="the counts"),
    ),
    params=(
        Param("log_input", False, "prediction holds the logarithm of the rate"),
        Param("full", False, "add log Γ(y + 1), which makes it the log likelihood"),
        Param("stirling", False, "with full: Stirling's formula instead, and for y > 1 only"),
        Param("epsilon", 0.0, "added to the rate inside the logarithm", least=0),
        STRICT,
        UNDERFLOW,
    ),
    use="Counts, whose variance is about their mean; overdispersed counts want another. Without "
    "full it may be negative, and compares only on the same targets.",
    traits=("convex", "proper", "asymmetric"),
    reference="Poisson 1837; Nelder & Wedderburn 1972, Generalized Linear Models",
    example=Example({"prediction": [2.5, 0.5], "target": [3, 0]}, 0.1255639021887674),
    conventions={
        "torch": Convention(
            "torch.nn.functional.poisson_nll_loss",
            {"log_input": True, "stirling": True, "epsilon": 1e-8},
            note="takes log rates; its full is Stirling's formula",
        ),
        "keras": Convention(
            "keras.losses.Poisson",
            {"epsilon": 1e-7},
            note="adds 1e-7 inside the logarithm",
            row_means=True,
            multiplies=True,
        ),
        "scoringrules": Convention(
            "scoringrules.logs_poisson",
            {"full": True, "strict": True, "underflow": True},
            note=_DENSITY,
        ),
    },
    contrast={"prediction": [0.0, 2.5], "target": [1, 3]},
)
def poisson(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    log_input: bool,
    full: bool,
    stirling: bool,
    epsilon: float,
    strict: bool,
    underflow: bool,
) -> Array:
    given = (prediction, target)
    prediction, target = _wide(*given)
    rate = xp.exp(prediction) if log_input else prediction
    inside = rate if log_input else rate + epsilon
    log_rate = prediction if log_input else xp.log(inside)
    values = rate - weighed(xp, target, log_rate)
    if full and stirling:
        many = xp.where(target > 1, target, 1)
        terms = many * xp.log(many) - many + 0.5 * xp.log(2 * pi * many)
        values = values + xp.where(target > 1, terms, 0)
    elif full:
        values = _poisson_mass(xp, target, rate, inside, log_rate, values)
    if full:
        values = _underflowing(xp, values, values, underflow, *given)
    return xp.where(target == xp.floor(target), values, xp.inf) if strict else values


def _poisson_mass(
    xp: ArrayModule, target: Array, rate: Array, inside: Array, log_rate: Array, values: Array
) -> Array:
    """The values, which lack it, and log Γ(y + 1)."""
    from lossctl.backend import gammaln

    # Large terms of both signs meet. Where y is large, Loader's form keeps the digits:
    # the deviance's half, ½ log 2πy, and what Stirling's formula lacks.
    large = target >= 16
    few = values + gammaln(xp, xp.where(large, 0, target) + 1)
    many = xp.where(large, target, 16)
    half = excess(xp, many, inside, xp.log(many), log_rate, many - inside) - (inside - rate)
    return xp.where(large, half + (0.5 * xp.log(many) + _HALF_LOG_2PI) + _stirling(many), few)


def _stirling(x: Array) -> Array:
    """log Γ(x + 1) less Stirling's formula, for x ≥ 16."""
    square = 1 / (x * x)
    series: Array = 1 / 1188
    for term in (1 / 1680, 1 / 1260, 1 / 360, 1 / 12):
        series = term - square * series
    return series / x


def _binet(xp: ArrayModule, x: Array) -> Array:
    """log Γ(x + 1) less Stirling's formula, for x > 0."""
    from lossctl.backend import gammaln

    large = x >= 16
    near = xp.where(large, 16, x)
    few = gammaln(xp, near + 1) - (near + 0.5) * xp.log(near) + near - _HALF_LOG_2PI
    return xp.where(large, _stirling(xp.where(large, x, 16)), few)


@loss(
    summary="Gaussian negative log likelihood",
    formula="½(log σ² + e²/σ²) + ½ log 2π, the last only where full",
    unit="nats",
    inputs=(
        Input("prediction", help="the mean"),
        Input("target"),
        Input("variance", domain=NON_NEGATIVE, constant=True, help="above 0, or with a floor"),
    ),
    params=(
        Param("full", True, "add ½ log 2π, which makes it the log likelihood"),
        Param("floor", 0.0, "variances below it are raised to it", least=0),
        UNDERFLOW,
    ),
    use="Means and variances predicted together; one variance too small for its error rules it.",
    traits=("smooth", "proper", "uncertainty"),
    reference="Nix & Weigend 1994, Estimating the mean and variance of the target distribution",
    example=Example(
        {"prediction": [1.0, 3.0], "target": [2.0, 2.5], "variance": [0.5, 2.0]},
        1.4501885332046727,
    ),
    conventions={
        "torch": Convention(
            "torch.nn.functional.gaussian_nll_loss",
            {"full": False, "floor": 1e-6},
            note="leaves out ½ log 2π, raises variances to 1e-6",
        ),
        "scoringrules": Convention(
            "scoringrules.logs_normal",
            {"underflow": True},
            note="takes σ; a density that underflows gives an infinite loss",
        ),
    },
    contrast={"prediction": [1.0, 90.0], "target": [2.0, 2.5], "variance": [0.5, 2.0]},
)
def gaussian_nll(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    variance: Array | float,
    *,
    full: bool,
    floor: float,
    underflow: bool,
) -> Array:
    given = (prediction, target, variance)
    prediction, target = _wide(prediction, target)
    if floor:
        variance = xp.maximum(xp.asarray(variance, dtype="float64"), floor)
    else:
        variance = _parameter(xp, variance, "variance")
        if variance.ndim:
            POSITIVE.check(xp, variance, "variance")
    distance = xp.square(prediction - target) / variance
    values = 0.5 * (xp.log(variance) + distance)
    values = values + _HALF_LOG_2PI if full else values
    return _underflowing(xp, values, 0.5 * distance, underflow, *given)


@loss(
    summary="Laplace negative log likelihood",
    formula="log 2b + |e|/b",
    unit="nats",
    inputs=(
        Input("prediction", help="the median"),
        TARGET,
        Input("scale", domain=POSITIVE, constant=True, help="b, the mean absolute error"),
    ),
    params=(UNDERFLOW,),
    use="Medians and scales predicted together, with errors that have longer tails than a "
    "Gaussian's. With one scale for all it ranks as the absolute error does.",
    traits=("proper", "uncertainty", "robust"),
    reference="Laplace 1774; Kotz, Kozubowski & Podgórski 2001, The Laplace Distribution",
    example=Example(
        {"prediction": [1.0, 3.0], "target": [2.0, 2.5], "scale": [0.5, 2.0]}, 1.8181471805599453
    ),
    conventions={
        "scoringrules": Convention(
            "scoringrules.logs_laplace",
            {"underflow": True},
            note="a density that underflows gives an infinite loss",
        )
    },
    contrast={"prediction": [1.0, 900.0], "target": [2.0, 2.5], "scale": [0.5, 1.0]},
)
def laplace_nll(
    xp: ArrayModule, prediction: Array, target: Array, scale: Array | float, *, underflow: bool
) -> Array:
    given = (prediction, target, scale)
    prediction, target = _wide(prediction, target)
    scale = _parameter(xp, scale, "scale")
    distance = xp.abs(prediction - target) / scale
    return _underflowing(xp, xp.log(2 * scale) + distance, distance, underflow, *given)


@loss(
    summary="Student t negative log likelihood",
    formula="log s + ½ log ν + log B(½, ν/2) + ½(ν+1) log(1 + e²/(νs²))",
    unit="nats",
    inputs=(
        Input("prediction", help="the location"),
        TARGET,
        Input("scale", domain=POSITIVE, constant=True, help="s, not the standard deviation"),
        Input("df", domain=POSITIVE, constant=True, help="ν, the degrees of freedom"),
    ),
    params=(UNDERFLOW,),
    use="Errors with heavy tails: an outlier costs its logarithm. Many degrees of freedom make "
    "it the Gaussian likelihood.",
    traits=("smooth", "proper", "uncertainty", "robust"),
    reference="Student 1908; Lange, Little & Taylor 1989, Robust statistical modeling using the t "
    "distribution",
    example=Example(
        {
            "prediction": [1.0, 3.0],
            "target": [2.0, 2.5],
            "scale": [0.5, 2.0],
            "df": [3.0, 5.0],
        },
        1.8506858597241563,
    ),
    conventions={
        "scoringrules": Convention(
            "scoringrules.logs_t",
            {"underflow": True},
            note="a density that underflows gives an infinite loss",
        )
    },
    contrast={"prediction": [0.0], "target": [1e4], "scale": [1.0], "df": [200.0]},
)
def student_t_nll(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    scale: Array | float,
    df: Array | float,
    *,
    underflow: bool,
) -> Array:
    given = (prediction, target, scale, df)
    prediction, target = _wide(prediction, target)
    scale, df = _parameter(xp, scale, "scale"), _parameter(xp, df, "df")
    z = xp.abs(prediction - target) / scale
    share = z / xp.sqrt(df)
    # log(1 + x²), where x² would overflow too
    growth = xp.where(share > 1e8, 2 * xp.log(share), xp.log1p(share * share))
    tail = xp.where(xp.isinf(df), 0.5 * z * z, 0.5 * (df + 1) * growth)
    values = xp.log(scale) + (_HALF_LOG_2PI + _half_step(xp, 0.5 * df)) + tail
    return _underflowing(xp, values, tail, underflow, *given)


def _half_step(xp: ArrayModule, x: Array) -> Array:
    """log Γ(x) − log Γ(x + ½) + ½ log x for x > 0, which goes to 0 for large x."""
    from lossctl.backend import gammaln

    x = xp.atleast_1d(x)
    large = x >= 16
    near = xp.where(large, 16, x)
    few = gammaln(xp, near) - gammaln(xp, near + 0.5) + 0.5 * xp.log(near)
    inverse = 1 / xp.where(large, x, 16)
    square = inverse * inverse
    # Σ (1 − 2^(−2k)) B_2k / (k(2k−1) x^(2k−1)), the difference of two Stirling series
    series: Array = 31 / 18432
    for term in (17 / 14336, 1 / 640, 1 / 192, 1 / 8):
        series = term - square * series
    return xp.where(large, inverse * series, few)


@loss(
    summary="Negative binomial negative log likelihood",
    formula="log Γ(y+1) + log Γ(r) − log Γ(y+r) + (y+r) log(1+aμ) − y log(aμ), r = 1/a",
    unit="nats",
    inputs=(
        Input("prediction", domain=NON_NEGATIVE, help="the mean μ"),
        Input("target", domain=NON_NEGATIVE, help="the counts"),
        Input(
            "dispersion",
            domain=NON_NEGATIVE,
            constant=True,
            help="a: the variance is μ + aμ², and 0 is Poisson",
        ),
    ),
    params=(
        STRICT,
        Param(
            "least_size",
            0.0,
            "where the size r = 1/a is below it every count has probability 0, and infinite loss",
            least=0,
        ),
        UNDERFLOW,
    ),
    use="Counts that vary more than their mean, as Poisson's do not.",
    traits=("proper", "uncertainty", "asymmetric"),
    reference="Lawless 1987, Negative binomial and mixed Poisson regression",
    example=Example(
        {"prediction": [2.0, 1.0], "target": [3, 0], "dispersion": [0.5, 1.0]}, 1.3862943611198906
    ),
    conventions={
        "scoringrules": Convention(
            "scoringrules.logs_negbinom",
            {"strict": True, "least_size": 1.0, "underflow": True},
            note=f"takes n = 1/a and mu; infinite for a > 1; {_DENSITY}",
        )
    },
    contrast={"prediction": [2.0, 1.0], "target": [2.5, 0], "dispersion": [0.5, 1.0]},
)
def negative_binomial_nll(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    dispersion: Array | float,
    *,
    strict: bool,
    least_size: float,
    underflow: bool,
) -> Array:
    given = (prediction, target, dispersion)
    mean, count = _wide(prediction, target)
    a = _parameter(xp, dispersion, "dispersion", NON_NEGATIVE)
    large = count >= 16
    values = xp.where(
        large,
        _many_counts(xp, mean, xp.where(large, count, 16), a),
        _few_counts(xp, mean, xp.where(large, 0, count), a),
    )
    values = _underflowing(xp, values, values, underflow, *given)
    if least_size:
        values = xp.where(1 / a < least_size, xp.inf, values)
    return xp.where(count == xp.floor(count), values, xp.inf) if strict else values


def _few_counts(xp: ArrayModule, mean: Array, count: Array, a: Array) -> Array:
    """The negative binomial's −log density, for y below 16."""
    from lossctl.backend import gammaln

    # log Γ(r) + y log r − log Γ(r + y), of Stirling's formula, where terms of r would cancel
    growth = count * (1 - _log1p_ratio(xp, a * count)) - (count - 0.5) * xp.log1p(a * count)
    rising = growth + _binet_step(xp, count, a)
    nothing = mean * _log1p_ratio(xp, a * mean)  # −log of the probability of 0
    return (
        gammaln(xp, count + 1)
        + rising
        + nothing
        - weighed(xp, count, xp.log(mean / (1 + a * mean)))
    )


def _many_counts(xp: ArrayModule, mean: Array, count: Array, a: Array) -> Array:
    """The same in Loader's form, whose terms do not cancel, for y from 16."""
    odds, theirs = 1 + a * mean, 1 + a * count
    first = excess(xp, odds, theirs, xp.log1p(a * mean), xp.log1p(a * count), a * (mean - count))
    first = xp.where(a > 0, first / odds / a, 0)
    level = mean * (theirs / odds)
    second = excess(xp, count, level, xp.log(count), xp.log(level), (count - mean) / odds)
    spread = 0.5 * (xp.log(count) + xp.log1p(a * count)) + _HALF_LOG_2PI
    return spread + first + second + (_stirling(count) + _binet_step(xp, count, a))


def _binet_step(xp: ArrayModule, count: Array, a: Array) -> Array:
    """What Stirling's formula lacks of log Γ(r + 1) − log Γ(r + y + 1), r = 1/a."""
    size = xp.atleast_1d(1 / a)
    return _binet(xp, size) - _binet(xp, size + count)


def _log1p_ratio(xp: ArrayModule, x: Array) -> Array:
    """log(1 + x)/x, and 1 where x is 0."""
    return xp.where(x == 0, 1.0, xp.log1p(x) / x)


@loss(
    summary="CRPS of a Gaussian forecast",
    formula="σ (z (2Φ(z) − 1) + 2φ(z) − 1/√π), z = e/σ; |e| for σ = 0",
    unit="target",
    inputs=(
        Input("prediction", help="the mean"),
        TARGET,
        Input("std", domain=NON_NEGATIVE, constant=True, help="σ, the standard deviation"),
    ),
    use="Means and standard deviations judged together in the target's unit, with tails that "
    "cost no more than the absolute error. A forecast without spread has its absolute error.",
    traits=("proper", "uncertainty", "robust", "nonnegative"),
    reference="Gneiting, Raftery, Westveld & Goldman 2005, Calibrated probabilistic forecasting",
    example=Example({"prediction": [0.1], "target": [0.0], "std": [0.4]}, 0.10339992515976162),
    conventions={
        "scoringrules": Convention("scoringrules.crps_normal", note="NaN for σ = 0, here |e|")
    },
)
def crps_gaussian(xp: ArrayModule, prediction: Array, target: Array, std: Array | float) -> Array:
    from lossctl.backend import erf

    prediction, target = _wide(prediction, target)
    std = _parameter(xp, std, "std", NON_NEGATIVE)
    error = prediction - target
    z = ratio(xp, error, std)
    peak = sqrt(2 / pi) * xp.exp(-0.5 * z * z) - 1 / sqrt(pi)
    return error * erf(xp, z / sqrt(2)) + std * peak


ESTIMATOR = Param(
    "estimator",
    "fair",
    "fair: over the pairs of different members, unbiased; nrg: over all pairs, as if the members "
    "were the whole forecast",
    choices=("fair", "nrg"),
)


def _pairs(members: int, estimator: str) -> int:
    """Between how many ordered pairs of members the spread is averaged."""
    if estimator == "nrg":
        return members * members
    if members < 2:
        raise InvalidInput(
            "prediction",
            None,
            "has one member a row, and estimator=fair compares pairs of members",
            "give more members, or estimator=nrg",
        )
    return members * (members - 1)


@loss(
    summary="CRPS of an ensemble",
    formula="mean |xᵢ − y| − ΣΣ |xᵢ − xⱼ| / 2M(M−1); nrg: / 2M²",
    unit="target",
    inputs=(Input("prediction", "(N, M)", help="the members"), Input("target", "(N,)")),
    params=(ESTIMATOR,),
    use="Forecasts given as samples, in the target's unit. Only fair compares ensembles of "
    "different sizes; nrg is higher the fewer the members.",
    traits=("proper", "uncertainty", "robust", "nonnegative"),
    reference="Gneiting & Raftery 2007, Strictly proper scoring rules; Ferro 2014, Fair scores for "
    "ensemble forecasts",
    example=Example({"prediction": [[0.0, 1.0, 2.0], [1.0, 1.0, 4.0]], "target": [0.5, 2.0]}, 0.25),
    conventions={
        "scoringrules": Convention(
            "scoringrules.crps_ensemble", {"estimator": "nrg"}, note="the biased estimator"
        ),
        "torchmetrics": Convention(
            "torchmetrics.functional.regression.continuous_ranked_probability_score",
            {"estimator": "nrg"},
            note="the biased estimator",
        ),
    },
)
def crps_ensemble(xp: ArrayModule, prediction: Array, target: Array, *, estimator: str) -> Array:
    members = prediction.shape[1]
    pairs = _pairs(members, estimator)
    prediction, target = _wide(prediction, target)
    error = xp.sort(xp.ascontiguousarray(prediction), axis=-1) - target[:, None]
    # Of the sorted members each counts as often as there are others further out, and half for
    # itself where it is its own partner. No term is negative, so that nothing cancels.
    own = 0.5 if estimator == "nrg" else 0.0
    inner = xp.arange(members) + own
    often = xp.where(error > 0, inner[::-1], inner)
    return 2 * (xp.abs(error) * often).sum(axis=-1) / pairs


@loss(
    summary="Energy score",
    formula="mean ‖xᵢ − y‖ − ΣΣ ‖xᵢ − xⱼ‖ / 2M(M−1); nrg: / 2M²",
    unit="target",
    inputs=(
        Input("prediction", "(N, M, D)", help="the members, of D variables each"),
        Input("target", "(N, D)"),
    ),
    params=(ESTIMATOR,),
    use="The CRPS of several variables at once; it notices wrong correlations only weakly. Bring "
    "the variables to one scale first.",
    traits=("proper", "uncertainty", "robust", "nonnegative"),
    reference="Gneiting & Raftery 2007, Strictly proper scoring rules",
    example=Example(
        {
            "prediction": [[[3.0, 4.0], [0.0, 0.0]], [[6.0, 8.0], [6.0, 8.0]]],
            "target": [[0.0, 0.0], [0.0, 0.0]],
        },
        5.625,
        {"estimator": "nrg"},
    ),
    conventions={
        "scoringrules": Convention(
            "scoringrules.es_ensemble", {"estimator": "nrg"}, note="the biased estimator"
        )
    },
)
def energy_score(xp: ArrayModule, prediction: Array, target: Array, *, estimator: str) -> Array:
    members = prediction.shape[1]
    pairs = _pairs(members, estimator)
    prediction, target = _wide(prediction, target)
    ensemble = xp.ascontiguousarray(xp.moveaxis(prediction, 1, 2))  # (N, D, M)
    errors = _lengths(xp, ensemble - target[:, :, None])
    # A pair's ‖xᵢ − y‖ + ‖xⱼ − y‖ − ‖xᵢ − xⱼ‖ is never negative, and both scores are sums of it.
    total = 0.0 if estimator == "fair" else errors.sum(axis=-1)
    for index in range(members - 1):
        rest = slice(index + 1, None)
        apart = _lengths(xp, ensemble[:, :, rest] - ensemble[:, :, index, None])
        detour = errors[:, rest] - apart + errors[:, index, None]
        total = total + xp.maximum(detour, 0).sum(axis=-1)
    return total / pairs


def _lengths(xp: ArrayModule, x: Array) -> Array:
    """The lengths of the vectors on the middle axis."""
    return xp.sqrt(xp.square(x).sum(axis=1))


CROSSING = Param(
    "crossing", False, "let quantiles cross, which makes the width of an interval negative"
)


@loss(
    summary="Interval score",
    formula="(u − l) + 2/α (l − y)₊ + 2/α (y − u)₊",
    unit="target",
    inputs=(Input("lower"), Input("upper"), TARGET),
    params=(
        Param(
            "alpha",
            REQUIRED,
            "the probability that the interval leaves out, 0.1 for one of 90 %",
            kind="number",
            above=0,
            below=1,
        ),
        CROSSING,
    ),
    use="Prediction intervals: narrow ones win, and a target outside costs 2/α of its distance.",
    traits=("convex", "proper", "uncertainty", "nonnegative"),
    reference="Winkler 1972; Gneiting & Raftery 2007, Strictly proper scoring rules",
    example=Example(
        {"lower": [0.0, 0.0], "upper": [0.5, 0.5], "target": [0.25, 0.75]}, 1.0, {"alpha": 0.5}
    ),
    conventions={
        "scoringrules": Convention(
            "scoringrules.interval_score", {"crossing": True}, note="lets the bounds cross"
        )
    },
)
def interval_score(
    xp: ArrayModule, lower: Array, upper: Array, target: Array, *, alpha: float, crossing: bool
) -> Array:
    lower, upper, target = _wide(lower, upper, target)
    if not crossing:
        require(
            xp,
            ~(lower > upper),
            "upper",
            "has {value}, which is below lower",
            "exchange the two, or if the quantiles may cross, say so: crossing=true",
        )
    outside = xp.maximum(lower - target, 0) + xp.maximum(target - upper, 0)
    return (upper - lower) + 2 / alpha * outside


@loss(
    summary="Weighted interval score",
    formula="(½|y − m| + Σ ½αₖ ISₖ) / (K + ½), over K intervals and the median m",
    unit="target",
    inputs=(
        Input("prediction", "(N, Q)", help="2K + 1 quantiles, ascending, the median in the middle"),
        Input("target", "(N,)"),
    ),
    params=(
        Param(
            "alphas",
            REQUIRED,
            "what each interval leaves out, the outermost first: [0.1,0.5] for quantiles at 0.05, "
            "0.25, 0.5, 0.75, 0.95",
            kind="numbers",
            above=0,
            below=1,
        ),
        CROSSING,
    ),
    use="Forecasts given as quantiles, as epidemic forecasts are; with many of them it is the "
    "CRPS. It is twice the mean pinball loss of the quantiles.",
    traits=("convex", "proper", "uncertainty", "nonnegative"),
    reference="Bracher, Ray, Gneiting & Reich 2021, Evaluating epidemic forecasts in an interval "
    "format",
    example=Example(
        {
            "prediction": [[0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 3.0, 4.0]],
            "target": [2.5, 5.0],
        },
        1.31,
        {"alphas": (0.2, 0.5)},
    ),
    conventions={
        "scoringrules": Convention(
            "scoringrules.weighted_interval_score",
            {"crossing": True},
            note="lets the quantiles cross",
        )
    },
)
def weighted_interval_score(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    alphas: float | tuple[float, ...],
    crossing: bool,
) -> Array:
    levels = alphas if isinstance(alphas, tuple) else (alphas,)
    count = len(levels)
    if any(inner <= outer for outer, inner in pairwise(levels)):
        raise SpecError(
            "alphas must rise: the outermost interval, which comes first, leaves out least",
            "for example: alphas=[0.1,0.5]",
        )
    if prediction.shape[1] != 2 * count + 1:
        raise InvalidInput(
            "prediction",
            None,
            f"has {prediction.shape[1]} quantiles, but alphas has {count}",
            "K alphas go with 2K + 1 quantiles, the median in the middle",
        )
    prediction, target = _wide(xp.ascontiguousarray(prediction), target)
    if not crossing:
        require(
            xp,
            ~(prediction[:, 1:] < prediction[:, :-1]),
            "prediction",
            "has quantiles that do not ascend",
            "sort the columns by their level, or if the quantiles may cross, say so: crossing=true",
        )
    lower, upper = prediction[:, :count], prediction[:, :count:-1]
    observed = target[:, None]
    outside = xp.maximum(lower - observed, 0) + xp.maximum(observed - upper, 0)
    scores = xp.asarray(levels) / 2 * (upper - lower) + outside  # ½α times the interval score
    median = 0.5 * xp.abs(target - prediction[:, count])
    return (median + scores.sum(axis=-1)) / (count + 0.5)
