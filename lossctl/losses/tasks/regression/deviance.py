"""Unit deviances, the errors of generalised linear models."""

from __future__ import annotations

from math import factorial

from lossctl.errors import SpecError
from lossctl.losses.definition import (
    REQUIRED,
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    Param,
    loss,
)
from lossctl.losses.domains import NON_NEGATIVE, POSITIVE
from lossctl.losses.numerics import log_ratio, weighed

_NEAR = 0.5
_TERMS = 18  # of which the last is below 2⁻⁵³ of the sum


def _log_quotient(xp: ArrayModule, x: Array, y: Array) -> Array:
    """log(x/y), accurate next to 1 and where x/y is more or less than a float holds."""
    quotient = x / y
    inside = (quotient > 1e-300) & (quotient < 1e300)
    log = xp.where(inside, xp.log(quotient), xp.log(x) - xp.log(y))
    return log_ratio(xp, x, y, log, 0.0, x - y)


def _grown(xp: ArrayModule, rate: float, log: Array) -> Array:
    """(exp(rate · log) − 1)/rate, of which log is the limit at 0."""
    return log if rate == 0 else xp.expm1(rate * log) / rate


def unit_deviance(xp: ArrayModule, prediction: Array, target: Array, power: float) -> Array:
    """Twice the integral of (y − t)/t^power for t from ŷ to y.

    With r = log(y/ŷ), a = 1 − power and b = 2 − power it is 2 ŷ^b F(r),
    F = e^r (e^(ar) − 1)/a − (e^(br) − 1)/b, and the same with y^b and e^(−br) F. The larger of
    both powers is taken out, so that neither factor overflows; next to r = 0, where F cancels,
    its series is Σ (1 + b + … + b^(k−2)) r^k/k!, k from 2.
    """
    mean, y = prediction.astype("float64", copy=False), target.astype("float64", copy=False)
    if power == 0:
        return xp.square(y - mean)
    a, b = 1.0 - power, 2.0 - power
    log = _log_quotient(xp, y, mean)
    rise = _grown(xp, -a, log)
    over_mean = xp.where(a * log > 0, xp.exp(b * log) * rise, xp.exp(log) * _grown(xp, a, log))
    above = b * log > 0
    rest = xp.where(above, rise - _grown(xp, -b, log), over_mean - _grown(xp, b, log))
    near = xp.abs(log) * max(1.0, abs(a), abs(b)) < _NEAR
    rest = xp.where(near, _series(xp, xp.where(near, log, 0), b), rest)
    whole = weighed(xp, rest, xp.power(xp.where(above & ~near, y, mean), b))
    return 2 * xp.where(y <= 0, _of_none(xp, mean, y, power), whole)


def _series(xp: ArrayModule, log: Array, b: float) -> Array:
    factors = [1.0]  # 1 + b + … + b^(k−2)
    for _ in range(_TERMS):
        factors.append(1 + b * factors[-1])
    found: Array = 0.0
    for k in range(len(factors) + 1, 1, -1):
        found = log * found + factors[k - 2] / factorial(k)
    return log * log * found


def _of_none(xp: ArrayModule, mean: Array, y: Array, power: float) -> Array:
    """Half the deviance of targets that are 0, or below it where the power is."""
    found = xp.power(mean, 2 - power) / (2 - power) if power != 2 else mean
    if power >= 0:
        return found
    return found + weighed(xp, -y, xp.power(mean, 1 - power)) / (1 - power)


@loss(
    summary="Tweedie's unit deviance",
    formula="2 (max(y, 0)^(2−p)/((1−p)(2−p)) − y ŷ^(1−p)/(1−p) + ŷ^(2−p)/(2−p)), and its limits",
    inputs=(
        Input("prediction", help="> 0; ≥ 0 where 1 ≤ power < 2; any number where power=0"),
        Input("target", help="> 0; ≥ 0 where 1 ≤ power < 2; any number where power ≤ 0"),
    ),
    params=(
        Param(
            "power",
            REQUIRED,
            "of the mean, to which the variance is proportional: 0 normal, 1 Poisson, between 1 "
            "and 2 compound Poisson, 2 gamma, 3 inverse Gaussian; not between 0 and 1",
            kind="number",
            least=-100,
            most=100,
        ),
    ),
    use="Amounts with many zeros, such as claims, with power between 1 and 2: the higher it is, "
    "the less large errors at large means count.",
    traits=("asymmetric", "proper", "zero", "nonnegative"),
    reference="Tweedie 1984; Jørgensen 1987, Exponential Dispersion Models, J. R. Stat. Soc. B 49",
    example=Example({"prediction": [1.0, 4.0], "target": [4, 0]}, 6.0, {"power": 1.5}),
    conventions={
        "sklearn": Convention(
            "sklearn.metrics.mean_tweedie_deviance", {"power": 0.0}, note="power is 0, which is mse"
        ),
    },
)
def tweedie_deviance(xp: ArrayModule, prediction: Array, target: Array, *, power: float) -> Array:
    if 0 < power < 1:
        raise SpecError(
            f"tweedie_deviance: power must be ≤ 0 or ≥ 1, not {power:g}",
            "no distribution has a power between 0 and 1",
        )
    if power != 0:
        (NON_NEGATIVE if 1 <= power < 2 else POSITIVE).check(xp, prediction, "prediction")
    if power >= 1:
        (NON_NEGATIVE if power < 2 else POSITIVE).check(xp, target, "target")
    return unit_deviance(xp, prediction, target, power)


@loss(
    aliases=("mean_poisson_deviance",),
    summary="Poisson deviance",
    formula="2 (y log(y/ŷ) − y + ŷ)",
    inputs=(
        Input("prediction", domain=NON_NEGATIVE, help="the rate"),
        Input("target", domain=NON_NEGATIVE, help="the counts"),
    ),
    use="As poisson, but 0 for the perfect forecast, so that it compares across targets.",
    traits=("convex", "asymmetric", "proper", "zero", "nonnegative"),
    reference="Nelder & Wedderburn 1972, Generalized Linear Models, J. R. Stat. Soc. A 135",
    example=Example({"prediction": [1.5, 2.0], "target": [0, 1]}, 2.5 - 0.6931471805599453),
    conventions={
        "sklearn": Convention(
            "sklearn.metrics.mean_poisson_deviance", note="refuses a prediction of 0"
        ),
    },
)
def poisson_deviance(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return unit_deviance(xp, prediction, target, 1.0)


@loss(
    aliases=("mean_gamma_deviance",),
    summary="Gamma deviance",
    formula="2 (log(ŷ/y) + y/ŷ − 1)",
    inputs=(Input("prediction", domain=POSITIVE), Input("target", domain=POSITIVE)),
    use="Positive amounts whose spread grows with their mean; changing the unit changes nothing.",
    traits=("relative", "asymmetric", "proper", "zero", "nonnegative"),
    reference="Nelder & Wedderburn 1972, Generalized Linear Models, J. R. Stat. Soc. A 135",
    example=Example({"prediction": [2.0, 1.0], "target": [1, 2]}, 0.5),
    conventions={"sklearn": Convention("sklearn.metrics.mean_gamma_deviance")},
)
def gamma_deviance(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return unit_deviance(xp, prediction, target, 2.0)
