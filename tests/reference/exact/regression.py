"""Regression: the definitions, at 50 digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mpmath import mp, mpf

from tests.reference.exact.parts import (
    Arrays,
    Element,
    Number,
    Params,
    Terms,
    dot,
    elementwise,
    mean,
    numbers,
    ratio,
    samples,
)


def huber(p: Number, y: Number, params: Params) -> Number:
    delta, e = mpf(params.get("delta", 1)), abs(p - y)
    return e * e / 2 if e <= delta else delta * (e - delta / 2)


def smooth_l1(p: Number, y: Number, params: Params) -> Number:
    beta, e = mpf(params.get("beta", 1)), abs(p - y)
    return e * e / (2 * beta) if e < beta else e - beta / 2


def log_cosh(p: Number, y: Number, params: Params) -> Number:
    return mp.log1p(2 * mp.sinh((p - y) / 2) ** 2)  # cosh e = 1 + 2 sinh²(e/2)


def pinball(p: Number, y: Number, alpha: Number) -> Number:
    return max(alpha * (y - p), (alpha - 1) * (y - p))


def msle(p: Number, y: Number, params: Params) -> Number:
    if "floor" in params:
        p, y = max(p, mpf(params["floor"])), max(y, mpf(params["floor"]))
    return (mp.log1p(p) - mp.log1p(y)) ** 2


def mape(p: Number, y: Number, params: Params) -> Number:
    size = max(abs(y), mpf(params.get("epsilon", 0)))
    return ratio(abs(p - y), size) * (100 if params.get("percent") else 1)


def expectile(p: Number, y: Number, params: Params) -> Number:
    return abs(mpf(params.get("alpha", 0.5)) - (y < p)) * (p - y) ** 2


def beyond(p: Number, y: Number, params: Params) -> Number:
    return max(mpf(0), abs(p - y) - mpf(params.get("epsilon", 0.1)))


def charbonnier(p: Number, y: Number, params: Params) -> Number:
    return mp.sqrt((p - y) ** 2 + mpf(params.get("epsilon", 1e-3)) ** 2)


def tukey(p: Number, y: Number, params: Params) -> Number:
    c = mpf(params.get("c", 4.685))
    return c**2 / 6 * (1 - max(mpf(0), 1 - ((p - y) / c) ** 2) ** 3)


def barron(p: Number, y: Number, params: Params) -> Number:
    alpha, s = params.get("alpha", 1), ((p - y) / mpf(params.get("scale", 1))) ** 2
    limits = {
        "2": lambda: s / 2,
        "0": lambda: mp.log(s / 2 + 1),
        "-inf": lambda: 1 - mp.exp(-s / 2),
        "inf": lambda: mp.exp(s / 2) - 1,
    }
    if str(alpha) in limits:
        return limits[str(alpha)]()
    alpha = mpf(alpha)
    width = abs(alpha - 2)
    return width / alpha * ((s / width + 1) ** (alpha / 2) - 1)


def tweedie(power: float | None = None) -> Element:
    def element(p: Number, y: Number, params: Params) -> Number:
        k = mpf(params["power"] if power is None else power)
        if k == 0 or p == y:
            return (y - p) ** 2
        if k == 1:
            return 2 * (p if y == 0 else mp.inf if p == 0 else y * mp.log(y / p) - y + p)
        if k == 2:
            return 2 * (mp.log(p / y) + y / p - 1)
        own = max(y, mpf(0))
        first = own ** (2 - k) / ((1 - k) * (2 - k)) if own else mpf(0)
        if p == 0:
            return mp.inf if y else mpf(0)
        return 2 * (first - y * p ** (1 - k) / (1 - k) + p ** (2 - k) / (2 - k))

    return element


def errors(inputs: Arrays) -> list[list[Number]]:
    """ŷ − y by sample and output."""
    pairs = zip(samples(inputs["prediction"]), samples(inputs["target"]), strict=True)
    return [[p - y for p, y in zip(*pair, strict=True)] for pair in pairs]


def row_weights(inputs: Arrays) -> list[Number]:
    return numbers(inputs["weight"]) if "weight" in inputs else [mpf(1)] * len(inputs["target"])


def root_of(square: Element) -> Callable[[Arrays, Params], Terms]:
    """The root of the mean; of several outputs that of all, or the mean of each one's."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        pooled = elementwise(square, mp.sqrt)(inputs, params)
        if params.get("outputs") != "mean":
            return pooled
        mass = row_weights(inputs)
        means = [dot(mass, column) / mp.fsum(mass) for column in zip(*pooled.values, strict=True)]
        own = [[mean(list(map(mp.sqrt, row)))] for row in pooled.values]
        return Terms(own, dataset=mean(list(map(mp.sqrt, means))))

    return reference


def wape(inputs: Arrays, params: Params) -> Terms:
    e = [mp.fsum(map(abs, row)) for row in errors(inputs)]
    y = [mp.fsum(map(abs, row)) for row in samples(inputs["target"])]
    mass = row_weights(inputs)
    return Terms([[ratio(*pair)] for pair in zip(e, y, strict=True)],
                 dataset=ratio(dot(mass, e), dot(mass, y)))  # fmt: skip


def nmse(inputs: Arrays, params: Params) -> Terms:
    shares = []
    for e, y in zip(zip(*errors(inputs), strict=True), zip(*samples(inputs["target"]), strict=True),
                    strict=True):  # fmt: skip
        middle = mean(y)
        shares.append((mp.fsum(v**2 for v in e), mp.fsum((v - middle) ** 2 for v in y)))
    if params.get("outputs") == "mean":
        return Terms([], dataset=mean([ratio(*share) for share in shares]))
    return Terms([], dataset=ratio(*map(mp.fsum, zip(*shares, strict=True))))


def middle_of(values: Sequence[Number]) -> Number:
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(values) % 2 else (ordered[half - 1] + ordered[half]) / 2


def median(inputs: Arrays, params: Params) -> Terms:
    e = [[abs(v) for v in row] for row in errors(inputs)]
    if params.get("outputs") == "mean":
        return Terms([], dataset=mean([middle_of(column) for column in zip(*e, strict=True)]))
    return Terms([], dataset=middle_of([v for row in e for v in row]))


def largest(inputs: Arrays, params: Params) -> Terms:
    return Terms([], dataset=max(abs(v) for row in errors(inputs) for v in row))


def scaled(power: int, finish: Any = None) -> Callable[[Arrays, Params], Terms]:
    """|e|^power over the mean |y_t − y_(t−m)|^power of the sample's history."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        m = params.get("seasonality", 1)
        values = []
        for row, past in zip(errors(inputs), samples(inputs["history"]), strict=True):
            steps = range(m, len(past))
            scale = mean([abs(past[t] - past[t - m]) ** power for t in steps])
            values.append([ratio(abs(e) ** power, scale) for e in row])
        return Terms(values, finish=finish)

    return reference


def pinball_terms(inputs: Arrays, params: Params) -> Terms:
    alpha = params.get("alpha", 0.5)
    if not isinstance(alpha, list):
        return elementwise(lambda p, y, _: pinball(p, y, mpf(alpha)))(inputs, params)
    levels = [mpf(a) for a in alpha]
    targets = numbers(inputs["target"])
    return Terms(
        [
            [pinball(p, y, a) for p, a in zip(row, levels, strict=True)]
            for row, y in zip(samples(inputs["prediction"]), targets, strict=True)
        ]
    )


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "mse": elementwise(lambda p, y, _: (p - y) ** 2),
    "mae": elementwise(lambda p, y, _: abs(p - y)),
    "huber": elementwise(huber),
    "smooth_l1": elementwise(smooth_l1),
    "log_cosh": elementwise(log_cosh),
    "mape": elementwise(mape),
    "smape": elementwise(lambda p, y, _: ratio(2 * abs(p - y), abs(y) + abs(p))),
    "msle": elementwise(msle),
    "rmse": root_of(lambda p, y, _: (p - y) ** 2),
    "rmsle": root_of(msle),
    "pinball": pinball_terms,
    "expectile": elementwise(expectile),
    "epsilon_insensitive": elementwise(beyond),
    "squared_epsilon_insensitive": elementwise(lambda p, y, params: beyond(p, y, params) ** 2),
    "charbonnier": elementwise(charbonnier),
    "tukey_biweight": elementwise(tukey),
    "barron": elementwise(barron),
    "tweedie_deviance": elementwise(tweedie()),
    "poisson_deviance": elementwise(tweedie(1)),
    "gamma_deviance": elementwise(tweedie(2)),
    "wape": wape,
    "nmse": nmse,
    "median_absolute_error": median,
    "max_error": largest,
    "mase": scaled(1),
    "rmsse": scaled(2, mp.sqrt),
}
