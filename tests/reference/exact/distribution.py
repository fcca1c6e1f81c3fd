"""Distributions: the definitions, at 50 digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from mpmath import mp, mpf

from tests.reference.exact.parts import (
    Arrays,
    Number,
    Params,
    Terms,
    mean,
    numbers,
    power,
    ratio,
    row_terms,
    samples,
    times,
)


def divergence(row: Callable[..., Number], based: bool = True) -> Any:
    """A function of the row of prediction p and the row of target t."""

    def value(p: list[Number], t: list[Number], params: Params) -> Number:
        if params.get("log_prediction"):
            p = [mp.exp(v) for v in p]
        if params.get("log_target"):
            t = [mp.exp(v) for v in t]
        if "floor" in params:
            p, t = ([max(v, mpf(params["floor"])) for v in row] for row in (p, t))
        base = mpf(params["base"]) if "base" in params else mp.e
        return row(p, t, params) / (mp.log(base) if based else 1)

    return row_terms(value)


def kl_divergence(inputs: Arrays, params: Params) -> Terms:
    """Of which `average=bins` counts the bins of a row, so that they share its divergence."""
    terms: Terms = divergence(kl)(inputs, params)
    if params.get("average") == "bins":
        bins = inputs["prediction"].shape[-1]
        terms.values = [[v / bins for v in row] for row in terms.values]
        terms.weights = [[mpf(bins)] * len(row) for row in terms.values]
    return terms


def kl(p: list[Number], t: list[Number], params: Params | None = None) -> Number:
    """Σ t log(t/p)"""
    return mp.fsum(times(b, mp.log(b) - mp.log(a)) if b else 0 for a, b in zip(p, t, strict=True))


def js(p: list[Number], t: list[Number], params: Params) -> Number:
    middle = [(a + b) / 2 for a, b in zip(p, t, strict=True)]
    return (kl(middle, p) + kl(middle, t)) / 2


def hellinger(p: list[Number], t: list[Number], params: Params) -> Number:
    squares = ((mp.sqrt(a) - mp.sqrt(b)) ** 2 for a, b in zip(p, t, strict=True))
    return mp.sqrt(mp.fsum(squares) / 2)


def bhattacharyya(p: list[Number], t: list[Number], params: Params) -> Number:
    return -mp.log(mp.fsum(mp.sqrt(a * b) for a, b in zip(p, t, strict=True)))


def renyi(p: list[Number], t: list[Number], params: Params) -> Number:
    alpha = mpf(params["alpha"])
    if alpha == 1:
        return kl(p, t)
    total = mpf(0)
    for a, b in zip(p, t, strict=True):
        if b == 0:
            continue
        if a == 0 and alpha > 1:
            return mp.inf
        total += power(b, alpha) * power(a, 1 - alpha)
    return mp.log(total) / (alpha - 1)


def wasserstein(p: list[Number], t: list[Number], params: Params) -> Number:
    """The cost of moving the mass of p to t, bin by bin, in order: no CDF is formed."""
    positions = numbers(np.array(params.get("positions", range(len(p)))))
    supply, demand = list(p), list(t)
    scale = mp.fsum(p) / mp.fsum(t)
    demand = [d * scale for d in demand]
    cost, i, j = mpf(0), 0, 0
    while i < len(p) and j < len(t):
        moved = min(supply[i], demand[j])
        cost += moved * abs(positions[i] - positions[j])
        supply[i] -= moved
        demand[j] -= moved
        if supply[i] <= demand[j]:
            i += 1
        else:
            j += 1
    return cost


def transport(inputs: Arrays, params: Params) -> Terms:
    """Each value of the one sample, in order, moved to the next place of the other."""
    x, y = sorted(numbers(inputs["prediction"])), sorted(numbers(inputs["target"]))
    n, m = len(x), len(y)
    moved = [abs(x[k // m] - y[k // n]) for k in range(n * m)]  # each a mass of 1/nm
    return Terms([], dataset=mean(moved))


def pair_mean(x: list[Any], y: list[Any], value: Callable[[Any, Any], Number]) -> Number:
    return mean([value(a, b) for a in x for b in y])


def energy(inputs: Arrays, params: Params) -> Terms:
    x, y = numbers(inputs["prediction"]), numbers(inputs["target"])
    gaps = [pair_mean(a, b, lambda u, v: abs(u - v)) for a, b in ((x, y), (x, x), (y, y))]
    return Terms([], dataset=mp.sqrt(2 * gaps[0] - gaps[1] - gaps[2]))


def mmd(inputs: Arrays, params: Params) -> Terms:
    x, y = samples(inputs["prediction"]), samples(inputs["target"])
    spread = 2 * mpf(params["bandwidth"]) ** 2

    def kernel(a: list[Number], b: list[Number]) -> Number:
        return mp.exp(-mp.fsum((u - v) ** 2 for u, v in zip(a, b, strict=True)) / spread)

    def within(z: list[list[Number]]) -> Number:
        return mean([kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j])

    return Terms([], dataset=within(x) + within(y) - 2 * pair_mean(x, y, kernel))


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "kl_divergence": kl_divergence,
    "reverse_kl": divergence(lambda p, t, _: kl(t, p)),
    "jeffreys": divergence(lambda p, t, _: kl(p, t) + kl(t, p)),
    "js_divergence": divergence(js),
    "hellinger": divergence(hellinger, based=False),
    "total_variation_distance": divergence(
        lambda p, t, _: mp.fsum(abs(a - b) for a, b in zip(p, t, strict=True)) / 2, based=False
    ),
    "chi_squared": divergence(
        lambda p, t, _: mp.fsum(ratio((b - a) ** 2, a) for a, b in zip(p, t, strict=True)),
        based=False,
    ),
    "bhattacharyya": divergence(bhattacharyya),
    "renyi": divergence(renyi),
    "wasserstein": divergence(wasserstein, based=False),
    "wasserstein_samples": transport,
    "energy_distance": energy,
    "mmd_rbf": mmd,
}
