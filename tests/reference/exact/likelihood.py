"""Counts and likelihoods: the definitions, at 50 digits."""

from __future__ import annotations

from collections.abc import Callable

from mpmath import mp, mpf

from tests.reference.exact.parts import (
    Arrays,
    Number,
    Params,
    Terms,
    elementwise,
    mean,
    numbers,
    rows,
    samples,
    xlog,
)


def poisson(p: Number, y: Number, params: Params) -> Number:
    if params.get("strict") and y != mp.floor(y):
        return mp.inf
    value = mp.exp(p) - y * p if params.get("log_input") else p - xlog(y, p)
    return value + (mp.loggamma(y + 1) if params.get("full") else 0)


def gaussian_nll(inputs: Arrays, params: Params) -> Terms:
    prediction, target = samples(inputs["prediction"]), samples(inputs["target"])
    if "variance" in inputs:
        variance = samples(inputs["variance"])
    else:
        variance = [[mpf(params["variance"])] * len(row) for row in target]
    constant = mp.log(2 * mp.pi) / 2 if params.get("full", True) else mpf(0)
    return Terms(
        [
            [(mp.log(v) + (p - y) ** 2 / v) / 2 + constant for p, y, v in zip(*sample, strict=True)]
            for sample in zip(prediction, target, variance, strict=True)
        ]
    )


def of_parameters(element: Callable[..., Number], *names: str) -> Callable[[Arrays, Params], Terms]:
    """Of prediction, target and the parameters of the distribution, which may be constants."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        prediction, target = samples(inputs["prediction"]), samples(inputs["target"])
        own = [
            samples(inputs[name])
            if name in inputs
            else [[mpf(params[name])] * len(row) for row in target]
            for name in names
        ]
        return Terms(
            [
                [element(*entries) for entries in zip(*sample, strict=True)]
                for sample in zip(prediction, target, *own, strict=True)
            ]
        )

    return reference


def laplace_nll(p: Number, y: Number, scale: Number) -> Number:
    return -mp.log(mp.exp(-abs(p - y) / scale) / (2 * scale))


def student_t_nll(p: Number, y: Number, scale: Number, df: Number) -> Number:
    """By the density itself, with digits enough for a beta function of large numbers."""
    with mp.workdps(120):
        z = (y - p) / scale
        normaliser = mp.sqrt(df) * mp.beta(mpf(1) / 2, df / 2) * scale
        if df > 1e6:  # log B(½, ν/2), where B itself takes for ever
            logs = mp.loggamma(df / 2) - mp.loggamma((df + 1) / 2) + mp.log(mp.pi * df) / 2
        else:
            logs = mp.log(normaliser / scale)
        return mp.log(scale) + logs + (df + 1) / 2 * mp.log(1 + z * z / df)


def negative_binomial_nll(mean: Number, y: Number, dispersion: Number) -> Number:
    if dispersion == 0:
        return mean - xlog(y, mean) + mp.loggamma(y + 1)
    if mean == 0:
        return mpf(0) if y == 0 else mp.inf
    with mp.workdps(120):
        r = 1 / dispersion
        p = r / (r + mean)
        logs = mp.loggamma(y + r) - mp.loggamma(r) - mp.loggamma(y + 1)
        return -(logs + r * mp.log(p) + y * mp.log(1 - p))


def crps_gaussian(p: Number, y: Number, std: Number) -> Number:
    """∫ (F(x) − 1[x ≥ y])² dx, in units of σ; where y is far out, by the tail it leaves."""
    if std == 0:
        return abs(p - y)
    z = abs(y - p) / std
    if z > 30:  # beyond, the Gaussian is 0 to all digits
        return abs(y - p) - std / mp.sqrt(mp.pi)
    below = mp.quad(lambda x: mp.ncdf(x) ** 2, [-40, -8, -2, 0, *([z] if z else [])])
    above = mp.quad(lambda x: mp.ncdf(-x) ** 2, [z, z + 2, z + 8, z + 40])
    return std * (below + above)


def distance(x: list[Number], y: list[Number]) -> Number:
    return mp.sqrt(mp.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True)))


def score(members: list[list[Number]], observed: list[Number], params: Params) -> Number:
    """E‖X − y‖ − ½ E‖X − X'‖, of all pairs or of those of different members."""
    count = len(members)
    pairs = [distance(x, other) for x in members for other in members]
    nrg = params.get("estimator") == "nrg"
    spread = mp.fsum(pairs) / (count * count if nrg else count * (count - 1))
    return mean([distance(x, observed) for x in members]) - spread / 2


def crps_ensemble(inputs: Arrays, params: Params) -> Terms:
    pairs = zip(samples(inputs["prediction"]), numbers(inputs["target"]), strict=True)
    return Terms([[score([[x] for x in members], [y], params)] for members, y in pairs])


def energy_score(inputs: Arrays, params: Params) -> Terms:
    pairs = zip(rows(inputs["prediction"]), samples(inputs["target"]), strict=True)
    return Terms([[score(members, y, params)] for members, y in pairs])


def pinball(q: Number, y: Number, level: Number) -> Number:
    return max(level * (y - q), (level - 1) * (y - q))


def interval_score(inputs: Arrays, params: Params) -> Terms:
    """By the pinball losses of the two quantiles."""
    alpha = mpf(params["alpha"])
    columns = (samples(inputs[name]) for name in ("lower", "upper", "target"))

    def element(low: Number, high: Number, y: Number) -> Number:
        return (pinball(low, y, alpha / 2) + pinball(high, y, 1 - alpha / 2)) * 2 / alpha

    return Terms(
        [
            [element(*entry) for entry in zip(*sample, strict=True)]
            for sample in zip(*columns, strict=True)
        ]
    )


def weighted_interval_score(inputs: Arrays, params: Params) -> Terms:
    """Twice the mean pinball loss of all quantiles."""
    lower = [mpf(alpha) / 2 for alpha in params["alphas"]]
    levels = [*lower, mpf(1) / 2, *(1 - level for level in reversed(lower))]
    pairs = zip(samples(inputs["prediction"]), numbers(inputs["target"]), strict=True)
    return Terms(
        [
            [2 * mean([pinball(q, y, level) for q, level in zip(row, levels, strict=True)])]
            for row, y in pairs
        ]
    )


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "poisson": elementwise(poisson),
    "gaussian_nll": gaussian_nll,
    "laplace_nll": of_parameters(laplace_nll, "scale"),
    "student_t_nll": of_parameters(student_t_nll, "scale", "df"),
    "negative_binomial_nll": of_parameters(negative_binomial_nll, "dispersion"),
    "crps_gaussian": of_parameters(crps_gaussian, "std"),
    "crps_ensemble": crps_ensemble,
    "energy_score": energy_score,
    "interval_score": interval_score,
    "weighted_interval_score": weighted_interval_score,
}
