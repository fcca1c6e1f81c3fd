"""Counts and likelihoods: predicted distributions against what was observed."""

from __future__ import annotations

from math import log, pi

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    InvalidInput,
    Param,
    loss,
)
from lossctl.losses.domains import NON_NEGATIVE, POSITIVE
from lossctl.losses.numerics import excess, weighed

_HALF_LOG_2PI = 0.5 * log(2 * pi)


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
            "keras.losses.Poisson", {"epsilon": 1e-7}, note="adds 1e-7 inside the logarithm"
        ),
    },
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
) -> Array:
    # In float32 the terms, of both signs, would leave too few digits of their sum.
    prediction, target = (x.astype("float64", copy=False) for x in (prediction, target))
    rate = xp.exp(prediction) if log_input else prediction
    inside = rate if log_input else rate + epsilon
    log_rate = prediction if log_input else xp.log(inside)
    values = rate - weighed(xp, target, log_rate)
    if full and stirling:
        many = xp.where(target > 1, target, 1)
        terms = many * xp.log(many) - many + 0.5 * xp.log(2 * pi * many)
        return values + xp.where(target > 1, terms, 0)
    if not full:
        return values
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
    ),
    use="Means and variances predicted together; one variance too small for its error rules it.",
    traits=("smooth", "proper", "calibration"),
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
        )
    },
)
def gaussian_nll(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    variance: Array | float,
    *,
    full: bool,
    floor: float,
) -> Array:
    error = prediction.astype("float64", copy=False) - target
    variance = xp.asarray(variance, dtype="float64")
    if floor:
        variance = xp.maximum(variance, floor)
    elif variance.ndim:
        POSITIVE.check(xp, variance, "variance")
    elif not variance > 0:
        raise InvalidInput("variance", None, f"is {float(variance):g}, not above 0")
    values = 0.5 * (xp.log(variance) + xp.square(error) / variance)
    return values + _HALF_LOG_2PI if full else values
