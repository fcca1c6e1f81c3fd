"""Counts: the probability of what was counted."""

from __future__ import annotations

from math import pi

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    Param,
    loss,
)
from lossctl.losses.domains import NON_NEGATIVE
from lossctl.losses.numerics import excess, weighed
from lossctl.losses.tasks.likelihood.parts import (
    HALF_LOG_2PI,
    UNDERFLOW,
    parameter,
    underflowing,
    wide,
)

_DENSITY = "by way of the density: infinite where that underflows, NaN where its factors overflow"


STRICT = Param(
    "strict", False, "a count that is no whole number has probability 0, and infinite loss"
)


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
    prediction, target = wide(*given)
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
        values = underflowing(xp, values, values, underflow, *given)
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
    return xp.where(large, half + (0.5 * xp.log(many) + HALF_LOG_2PI) + _stirling(many), few)


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
    few = gammaln(xp, near + 1) - (near + 0.5) * xp.log(near) + near - HALF_LOG_2PI
    return xp.where(large, _stirling(xp.where(large, x, 16)), few)


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
    mean, count = wide(prediction, target)
    a = parameter(xp, dispersion, "dispersion", NON_NEGATIVE)
    large = count >= 16
    values = xp.where(
        large,
        _many_counts(xp, mean, xp.where(large, count, 16), a),
        _few_counts(xp, mean, xp.where(large, 0, count), a),
    )
    values = underflowing(xp, values, values, underflow, *given)
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
    spread = 0.5 * (xp.log(count) + xp.log1p(a * count)) + HALF_LOG_2PI
    return spread + first + second + (_stirling(count) + _binet_step(xp, count, a))


def _binet_step(xp: ArrayModule, count: Array, a: Array) -> Array:
    """What Stirling's formula lacks of log Γ(r + 1) − log Γ(r + y + 1), r = 1/a."""
    size = xp.atleast_1d(1 / a)
    return _binet(xp, size) - _binet(xp, size + count)


def _log1p_ratio(xp: ArrayModule, x: Array) -> Array:
    """log(1 + x)/x, and 1 where x is 0."""
    return xp.where(x == 0, 1.0, xp.log1p(x) / x)
