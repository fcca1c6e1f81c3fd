"""Contrastive batches: the definitions, at 50 digits, straight from the exponentials."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mpmath import mp, mpf

from tests.reference.exact.embedding import cosine
from tests.reference.exact.parts import (
    Array,
    Arrays,
    Number,
    Params,
    Terms,
    dot,
    mean,
    samples,
)

Vector = list[Number]


def parts(rows: int, params: Params) -> Iterator[range]:
    size = int(params.get("batch", rows))
    for start in range(0, rows, size):
        yield range(start, min(start + size, rows))


def labelled(
    default: str, anchor: Callable[[list[Number], list[Number], Params], Number], lonely: bool
) -> Callable[[Arrays, Params], Terms]:
    """``anchor`` takes the similarities to the positives and to the negatives.

    A ``lonely`` anchor, one without positives, takes part.
    """

    def reference(inputs: Arrays, params: Params) -> Terms:
        z, y = samples(inputs["prediction"]), inputs["target"].tolist()
        similarity = cosine if params.get("normalize", default == "cosine") else dot
        values, weights = [], []
        for part in parts(len(z), params):
            for i in part:
                others = [j for j in part if j != i]
                positive = [similarity(z[i], z[j]) for j in others if y[j] == y[i]]
                negative = [similarity(z[i], z[j]) for j in others if y[j] != y[i]]
                counts = bool(positive) or lonely
                values.append([anchor(positive, negative, params) if counts else mpf(0)])
                weight = len(positive) if params.get("average") == "pairs" else int(counts)
                weights.append([mpf(weight)])
        return Terms(values, weights)

    return reference


def views(
    anchor: Callable[[list[Vector], list[Vector], list[int], int, Params], list[Number]],
) -> Callable[[Arrays, Params], Terms]:
    def reference(inputs: Arrays, params: Params) -> Terms:
        left, right = samples(inputs["left"]), samples(inputs["right"])
        return Terms(
            [
                anchor(left, right, list(part), i, params)
                for part in parts(len(left), params)
                for i in part
            ]
        )

    return reference


def softmax_loss(own: Number, others: list[Number], temperature: Number) -> Number:
    """−log of the share of exp(own/τ) among all."""
    total = mp.exp(own / temperature) + mp.fsum(mp.exp(s / temperature) for s in others)
    return -mp.log(mp.exp(own / temperature) / total)


def tuplets(positive: list[Number], negative: list[Number], temperature: Number) -> Number:
    return mean([softmax_loss(s, negative, temperature) for s in positive])


def simclr(
    left: list[Vector], right: list[Vector], part: list[int], i: int, params: Params
) -> list[Number]:
    temperature = mpf(params.get("temperature", 0.07))
    values = []
    for own, other in ((left, right), (right, left)):
        rest = [cosine(own[i], side[j]) for side in (left, right) for j in part if j != i]
        values.append(softmax_loss(cosine(own[i], other[i]), rest, temperature))
    return values


def clip(
    left: list[Vector], right: list[Vector], part: list[int], i: int, params: Params
) -> list[Number]:
    temperature = mpf(params.get("temperature", 0.07))
    there = [cosine(left[i], right[j]) for j in part if j != i]
    back = [cosine(left[j], right[i]) for j in part if j != i]
    own = cosine(left[i], right[i])
    values = [softmax_loss(own, there, temperature), softmax_loss(own, back, temperature)]
    return values if params.get("symmetric", True) else values[:1]


def sohn(
    left: list[Vector], right: list[Vector], part: list[int], i: int, params: Params
) -> list[Number]:
    similarity = cosine if params.get("normalize") else dot
    own = similarity(left[i], right[i])
    rest = [similarity(left[i], right[j]) for j in part if j != i]
    return [mp.log(1 + mp.fsum(mp.exp(s - own) for s in rest))]


def either(
    paired: Callable[[Arrays, Params], Terms], single: Callable[[Arrays, Params], Terms]
) -> Callable[[Arrays, Params], Terms]:
    return lambda inputs, params: (paired if "left" in inputs else single)(inputs, params)


def supcon(positive: list[Number], negative: list[Number], params: Params) -> Number:
    temperature = mpf(params.get("temperature", 0.1))
    total = mp.fsum(mp.exp(s / temperature) for s in positive + negative)
    return -mean([mp.log(mp.exp(s / temperature) / total) for s in positive])


def multi_similarity(positive: list[Number], negative: list[Number], params: Params) -> Number:
    alpha, beta = mpf(params.get("alpha", 2)), mpf(params.get("beta", 50))
    base = mpf(params.get("base", 0.5))
    far = 1 + mp.fsum(mp.exp(-alpha * (s - base)) for s in positive)
    near = 1 + mp.fsum(mp.exp(beta * (s - base)) for s in negative)
    return mp.log(far) / alpha + mp.log(near) / beta


def circle(positive: list[Number], negative: list[Number], params: Params) -> Number:
    """Every positive against every negative, as the paper's equation 6 before it is factored."""
    gamma, m = mpf(params.get("gamma", 80)), mpf(params.get("margin", 0.4))
    total = mpf(1)
    for s_n in (min(s, mpf(1)) for s in negative):
        for s_p in (min(s, mpf(1)) for s in positive):
            push = max(s_n + m, mpf(0)) * (s_n - m)
            pull = max(1 + m - s_p, mpf(0)) * (s_p - (1 - m))
            total += mp.exp(gamma * (push - pull))
    return mp.log(total)


def columns(view: Array, part: range) -> list[Vector]:
    """The centred features of a batch."""
    rows = samples(view[part.start : part.stop])
    return [[v - mean(column) for v in column] for column in map(list, zip(*rows, strict=True))]


def whole(value: Callable[[Array, Array, range, Params], Number]) -> Callable[..., Terms]:
    def reference(inputs: Arrays, params: Params) -> Terms:
        left, right = inputs["left"], inputs["right"]
        total = mp.fsum(
            len(part) * value(left, right, part, params) for part in parts(len(left), params)
        )
        return Terms([], dataset=total / len(left))

    return reference


def barlow_twins(left: Array, right: Array, part: range, params: Params) -> Number:
    epsilon, ddof = mpf(params.get("epsilon", 0)), int(params.get("ddof", 0))
    n = len(part)

    def scaled(view: Array) -> list[Vector]:
        found = []
        for column in columns(view, part):
            deviation = mp.sqrt(dot(column, column) / (n - ddof)) + epsilon
            found.append([v / deviation if deviation else mpf(0) for v in column])
        return found

    total = mpf(0)
    rights = scaled(right)
    for i, a in enumerate(scaled(left)):
        for j, b in enumerate(rights):
            c = dot(a, b) / n
            total += (1 - c) ** 2 if i == j else mpf(params.get("lambda", 0.005)) * c**2
    return total


def vicreg(left: Array, right: Array, part: range, params: Params) -> Number:
    n, features = len(part), left.shape[1]
    pairs = list(zip(samples(left), samples(right), strict=True))
    apart = mean([mp.fsum((a - b) ** 2 for a, b in zip(*pairs[i], strict=True)) for i in part])
    total = mpf(params.get("invariance", 25)) * apart
    if params.get("per_feature"):
        total /= features
    for view in (left, right):
        centred = columns(view, part)
        covariance = [[dot(a, b) / (n - 1) for b in centred] for a in centred]
        epsilon, gamma = mpf(params.get("epsilon", 1e-4)), mpf(params.get("gamma", 1))
        lacks = [max(mpf(0), gamma - mp.sqrt(covariance[j][j] + epsilon)) for j in range(features)]
        shared = [c**2 for i, row in enumerate(covariance) for j, c in enumerate(row) if i != j]
        total += mpf(params.get("variance", 25)) * mean(lacks)
        total += mpf(params.get("covariance", 1)) * mp.fsum(shared) / features
    return total


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "nt_xent": either(
        views(simclr),
        labelled(
            "cosine",
            lambda p, n, params: tuplets(p, n, mpf(params.get("temperature", 0.07))),
            lonely=False,
        ),
    ),
    "info_nce": views(clip),
    "supcon": labelled("cosine", supcon, lonely=False),
    "n_pairs": either(
        views(sohn), labelled("dot", lambda p, n, _: tuplets(p, n, mpf(1)), lonely=False)
    ),
    "multi_similarity": labelled("cosine", multi_similarity, lonely=True),
    "circle": labelled("cosine", circle, lonely=False),
    "barlow_twins": whole(barlow_twins),
    "vicreg": whole(vicreg),
}
