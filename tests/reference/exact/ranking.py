"""Ranking: the definitions, at 50 digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mpmath import mp, mpf

from tests.reference.exact.parts import Arrays, Number, Params, Terms, samples

Items = list[tuple[Number, Number]]  # score and relevance


def lists(inputs: Arrays) -> list[Items]:
    """The items of each list, in their order."""
    mask = inputs.get("mask", np.ones(inputs["prediction"].shape))
    rows = zip(samples(inputs["prediction"]), samples(inputs["target"]), samples(mask), strict=True)
    return [[(s, y) for s, y, m in zip(*row, strict=True) if m] for row in rows]


def pairwise(cost: Callable[[Number, Params], Number]) -> Callable[[Arrays, Params], Terms]:
    """By list, the cost of every pair: of the better item's lead."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        return Terms(
            [
                [cost(s - t, params) for s, y in items for t, x in items if y > x]
                for items in lists(inputs)
            ]
        )

    return reference


def listwise(
    value: Callable[[Items, Params], Number | None],
) -> Callable[[Arrays, Params], Terms]:
    """One value of each list; none of one without items, or where it is None."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        with mp.workdps(150):  # what is left of 1 may be 1e-80
            found = [value(items, params) if items else None for items in lists(inputs)]
        exact = [v if v is None or abs(v) > mpf(10) ** -120 else mpf(0) for v in found]
        return Terms(
            [[mpf(0) if v is None else v] for v in exact], [[mpf(v is not None)] for v in exact]
        )

    return reference


def surprise(at: int, scores: list[Number]) -> Number:
    """−log softmax of one score among all."""
    return mp.log1p(mp.fsum(mp.exp(s - scores[at]) for i, s in enumerate(scores) if i != at))


def softmax_entropy(items: Items, shares: list[Number]) -> Number:
    scores = [s for s, _ in items]
    return mp.fsum(share * surprise(i, scores) for i, share in enumerate(shares) if share)


def listnet(items: Items, _: Params) -> Number:
    powers = [mp.exp(y) for _, y in items]
    return softmax_entropy(items, [p / mp.fsum(powers) for p in powers])


def listmle(items: Items, _: Params) -> Number:
    ordered = [s for s, _ in sorted(items, key=lambda item: -item[1])]
    return mp.fsum(surprise(0, ordered[i:]) for i in range(len(ordered)))


def gain(y: Number, params: Params, default: str) -> Number:
    return mpf(2) ** y - 1 if params.get("gain", default) == "exponential" else y


def discount(rank: Number, k: int | None = None) -> Number:
    return mpf(0) if k is not None and rank > k else 1 / mp.log(1 + rank, 2)


def ideal(gains: list[Number], k: int | None) -> Number:
    return mp.fsum(g * discount(r, k) for r, g in enumerate(sorted(gains, reverse=True), start=1))


def ndcg_loss(items: Items, params: Params) -> Number | None:
    k = params.get("k")
    gains = [gain(y, params, "linear") for _, y in items]
    best = ideal(gains, k)
    if best == 0:
        return {"skip": None, "zero": mpf(1), "one": mpf(0)}[params.get("irrelevant", "skip")]
    found = []
    for i, (score, _) in enumerate(items):
        above = sum(s > score for s, _ in items)
        tied = [j for j, (s, _) in enumerate(items) if s == score]
        ranks = range(above + 1, above + len(tied) + 1)
        if params.get("ties") == "first":
            ranks = range(above + 1 + tied.index(i), above + 2 + tied.index(i))
        found.append(gains[i] * mp.fsum(discount(r, k) for r in ranks) / len(ranks))
    return 1 - mp.fsum(found) / best


def approx_ndcg(items: Items, params: Params) -> Number | None:
    temperature = mpf(params.get("temperature", 0.1))
    gains = [gain(y, params, "exponential") for _, y in items]
    best = ideal(gains, None)
    if best == 0:
        return None
    found = []
    for i, (score, _) in enumerate(items):
        others = [s for j, (s, _) in enumerate(items) if j != i]
        rank = 1 + mp.fsum(1 / (1 + mp.exp((score - s) / temperature)) for s in others)
        found.append(gains[i] * discount(rank))
    return 1 - mp.fsum(found) / best


def bpr(inputs: Arrays, _: Params) -> Terms:
    rows = zip(samples(inputs["positive"]), samples(inputs["negative"]), strict=True)
    return Terms([[mp.log1p(mp.exp(n - p)) for p, n in zip(*row, strict=True)] for row in rows])


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "ranknet": pairwise(lambda lead, _: mp.log1p(mp.exp(-lead))),
    "pairwise_hinge": pairwise(
        lambda lead, params: max(mpf(0), mpf(params.get("margin", 1)) - lead)
    ),
    "bpr": bpr,
    "listnet": listwise(listnet),
    "ranking_softmax": listwise(lambda items, _: softmax_entropy(items, [y for _, y in items])),
    "listmle": listwise(listmle),
    "ndcg_loss": listwise(ndcg_loss),
    "approx_ndcg": listwise(approx_ndcg),
}
