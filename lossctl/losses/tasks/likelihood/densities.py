"""Densities of what was observed, under predicted means and spreads."""

from __future__ import annotations

from lossctl.losses.definition import (
    TARGET,
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    Param,
    loss,
)
from lossctl.losses.domains import NON_NEGATIVE, POSITIVE
from lossctl.losses.numerics import difference, distance
from lossctl.losses.tasks.likelihood.parts import (
    HALF_LOG_2PI,
    UNDERFLOW,
    parameter,
    underflowing,
    wide,
)


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
    prediction, target = wide(prediction, target)
    if floor:
        variance = xp.maximum(xp.asarray(variance, dtype="float64"), floor)
    else:
        variance = parameter(xp, variance, "variance")
        if variance.ndim:
            POSITIVE.check(xp, variance, "variance")
    squares = xp.square(difference(xp, prediction, target)) / variance
    values = 0.5 * (xp.log(variance) + squares)
    values = values + HALF_LOG_2PI if full else values
    return underflowing(xp, values, 0.5 * squares, underflow, *given)


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
    prediction, target = wide(prediction, target)
    scale = parameter(xp, scale, "scale")
    scaled = distance(xp, prediction, target) / scale
    return underflowing(xp, xp.log(2 * scale) + scaled, scaled, underflow, *given)


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
    prediction, target = wide(prediction, target)
    scale, df = parameter(xp, scale, "scale"), parameter(xp, df, "df")
    z = distance(xp, prediction, target) / scale
    share = z / xp.sqrt(df)
    # log(1 + x²), where x² would overflow too
    growth = xp.where(share > 1e8, 2 * xp.log(share), xp.log1p(share * share))
    tail = xp.where(xp.isinf(df), 0.5 * z * z, 0.5 * (df + 1) * growth)
    values = xp.log(scale) + (HALF_LOG_2PI + _half_step(xp, 0.5 * df)) + tail
    return underflowing(xp, values, tail, underflow, *given)


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
