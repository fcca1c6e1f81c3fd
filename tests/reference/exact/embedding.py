"""Embeddings and metric learning: the definitions, at 50 digits."""

from __future__ import annotations

from collections.abc import Callable

from mpmath import mp, mpf

from tests.reference.exact.parts import (
    Arrays,
    Number,
    Params,
    Terms,
    dot,
    elementwise,
    numbers,
    row_terms,
    samples,
)


def contrastive(distance: Number, y: Number, params: Params) -> Number:
    if params.get("similar", 1) == 0:
        y = 1 - y
    gap = max(mpf(0), mpf(params.get("margin", 1)) - distance)
    value = y * distance**2 + (1 - y) * gap**2
    return value / 2 if params.get("half", True) else value


def cosine(x: list[Number], y: list[Number]) -> Number:
    lengths = mp.sqrt(dot(x, x) * dot(y, y))
    return dot(x, y) / lengths if lengths else mpf(0)


def euclidean(x: list[Number], y: list[Number]) -> Number:
    return mp.sqrt(mp.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True)))


DISTANCES: dict[str, Callable[[list[Number], list[Number]], Number]] = {
    "euclidean": euclidean,
    "squared_euclidean": lambda x, y: mp.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True)),
    "cosine": lambda x, y: 1 - cosine(x, y),
}


def contrastive_terms(inputs: Arrays, params: Params) -> Terms:
    if "left" in inputs:
        pairs = zip(samples(inputs["left"]), samples(inputs["right"]), strict=True)
        distances = [euclidean(x, y) for x, y in pairs]
    else:
        distances = numbers(inputs["prediction"])
    targets = numbers(inputs["target"])
    return Terms([[contrastive(d, y, params)] for d, y in zip(distances, targets, strict=True)])


def soft_cosine(x: list[Number], y: list[Number], epsilon: Number) -> Number:
    lengths = mp.sqrt((dot(x, x) + epsilon) * (dot(y, y) + epsilon))
    return dot(x, y) / lengths if lengths else mpf(0)


def proximity(x: list[Number], y: list[Number], params: Params) -> Number:
    least = mpf(params.get("least_length", 0))
    lengths = max(mp.sqrt(dot(x, x)), least) * max(mp.sqrt(dot(y, y)), least)
    similarity = dot(x, y) / lengths if lengths else mpf(0)
    return -similarity if params.get("negate", True) else similarity


def cosine_embedding(inputs: Arrays, params: Params) -> Terms:
    margin, epsilon = mpf(params.get("margin", 0)), mpf(params.get("epsilon", 0))
    values = []
    pairs = zip(samples(inputs["left"]), samples(inputs["right"]), strict=True)
    for (x, y), label in zip(pairs, numbers(inputs["target"]), strict=True):
        similarity = soft_cosine(x, y, epsilon)
        values.append([1 - similarity if label == 1 else max(mpf(0), similarity - margin)])
    return Terms(values)


def triplet(inputs: Arrays, params: Params) -> Terms:
    plain = DISTANCES[params.get("distance", "squared_euclidean")]
    offset, epsilon = mpf(params.get("offset", 0)), mpf(params.get("epsilon", 0))

    def distance(x: list[Number], y: list[Number]) -> Number:
        if not (offset or epsilon):
            return plain(x, y)
        squared = mp.fsum((a - b + offset) ** 2 for a, b in zip(x, y, strict=True)) + epsilon
        return mp.sqrt(squared) if params.get("distance") == "euclidean" else squared

    margin = mpf(params.get("margin", 1))
    values = []
    names = ("anchor", "positive", "negative")
    for a, p, n in zip(*(samples(inputs[name]) for name in names), strict=True):
        far = min(distance(a, n), distance(p, n)) if params.get("swap") else distance(a, n)
        values.append([max(mpf(0), distance(a, p) - far + margin)])
    return Terms(values)


def margin_ranking(inputs: Arrays, params: Params) -> Terms:
    positive, negative = samples(inputs["positive"]), samples(inputs["negative"])
    target = samples(inputs["target"]) if "target" in inputs else [[mpf(1)]] * len(positive)
    margin = mpf(params.get("margin", 0))
    return Terms(
        [
            [max(mpf(0), -y * (a - b) + margin) for a, b, y in zip(*sample, strict=True)]
            for sample in zip(positive, negative, target, strict=True)
        ]
    )


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "cosine_proximity": row_terms(proximity),
    "cosine_distance": row_terms(lambda x, y, _: 1 - cosine(x, y)),
    "contrastive": contrastive_terms,
    "triplet": triplet,
    "margin_ranking": margin_ranking,
    "cosine_embedding": cosine_embedding,
    "hinge_embedding": elementwise(
        lambda d, y, params: d if y == 1 else max(mpf(0), mpf(params.get("margin", 1)) - d)
    ),
}
