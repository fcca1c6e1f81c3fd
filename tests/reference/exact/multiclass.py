"""Multi-class classification: the definitions, at 50 digits."""

from __future__ import annotations

from collections.abc import Callable

from mpmath import mp, mpf

from tests.reference.exact.parts import (
    Arrays,
    Number,
    Params,
    Terms,
    bernoulli,
    class_cells,
    class_terms,
    dot,
    power,
    surprises,
    times,
    truth_vector,
)

Cell = Callable[[list[Number], list[Number], Params], Number]


def weighed_terms(cell_value: Cell) -> Callable[[Arrays, Params], Terms]:
    """With class weights in the mean or in the terms, over one of several counts.

    Where they are in the terms the loss has to be linear in the target.
    """

    def one(vector: list[Number], truth: int | list[Number], params: Params) -> tuple[Number, ...]:
        divide_by = params.get("divide_by", "weights")
        if divide_by == "mixed":
            divide_by = "weights" if isinstance(truth, int) else "count"
        ignored = params.get("ignore_index")
        if truth == ignored:
            return mpf(0), mpf(divide_by == "all")
        hard = truth_vector(truth, len(vector))
        smooth = truth_vector(truth, len(vector), params.get("label_smoothing", 0))
        weights = [mpf(w) for w in params.get("class_weights", [1] * len(vector))]
        mass = dot(weights, hard)
        if params.get("weigh") == "terms" and params.get("activation") == "sigmoid":
            total = cell_value(vector, smooth, params)  # which is not linear, and weighs itself
        elif params.get("weigh") == "terms":
            total = cell_value(vector, [w * y for w, y in zip(weights, smooth)], params)
        else:
            total = times(mass, cell_value(vector, smooth, params))
        return (total / mass, mass) if divide_by == "weights" else (total, mpf(1))

    def reference(inputs: Arrays, params: Params) -> Terms:
        found = [[one(*cell, params) for cell in row] for row in class_cells(inputs, params)]
        return Terms([[v for v, _ in row] for row in found], [[m for _, m in row] for row in found])

    return reference


def cross_entropy(vector: list[Number], truth: list[Number], params: Params) -> Number:
    pairs = zip(truth, surprises(vector, params), strict=True)
    return mp.fsum(times(y, surprise) for y, (surprise, _) in pairs)


def log_likelihood(vector: list[Number], truth: list[Number], params: Params) -> Number:
    return -mp.fsum(times(y, v) for y, v in zip(truth, vector, strict=True))


def focal(vector: list[Number], truth: list[Number], params: Params) -> Number:
    alpha = params.get("alpha")
    balance = alpha if isinstance(alpha, list) else [1 if alpha is None else alpha] * len(vector)
    gamma = mpf(params.get("gamma", 2))
    return mp.fsum(
        times(y * mpf(a) * power(missing, gamma), surprise)
        for y, a, (surprise, missing) in zip(truth, balance, surprises(vector, params), strict=True)
    )


def focal_each(vector: list[Number], truth: list[Number], params: Params) -> Number:
    """A binary focal loss for every class."""
    if params.get("activation") != "sigmoid":
        value = focal(vector, truth, params)
        return value / len(vector) if params.get("class_mean") else value
    alpha = params.get("alpha")
    balance = alpha if isinstance(alpha, list) else [alpha] * len(vector)
    gamma = mpf(params.get("gamma", 2))
    weights = params["class_weights"] if params.get("weigh") == "terms" else [1] * len(vector)
    total = mpf(0)
    for z, y, a, w in zip(vector, truth, balance, weights, strict=True):
        of_one, of_zero, p, q = bernoulli(z, y, params)
        share = 1 if a is None else mpf(a) * y + (1 - mpf(a)) * (1 - y)
        entropy = times(y, of_one) + times(1 - y, of_zero)
        total += times(mpf(w) * share * power(y * q + (1 - y) * p, gamma), entropy)
    return total / len(vector) if params.get("class_mean") else total


def poly1(vector: list[Number], truth: list[Number], params: Params) -> Number:
    epsilon = mpf(params.get("epsilon", 1))
    pairs = zip(truth, surprises(vector, params), strict=True)
    return mp.fsum(times(y, surprise + epsilon * missing) for y, (surprise, missing) in pairs)


def generalized(vector: list[Number], truth: list[Number], params: Params) -> Number:
    q = mpf(params.get("q", 0.7))
    with mp.workdps(400):  # 1 − p may be as small as 1e-200
        chances = [mp.exp(-surprise) for surprise, _ in surprises(vector, params)]
        return mp.fsum(y * (1 - p**q) / q for y, p in zip(truth, chances, strict=True))


def symmetric(vector: list[Number], truth: list[Number], params: Params) -> Number:
    least = mpf(params.get("log_zero", -4))
    logs = [least if y == 0 else max(mp.log(y), least) for y in truth]
    reverse = -mp.fsum(
        mp.exp(-surprise) * log
        for (surprise, _), log in zip(surprises(vector, params), logs, strict=True)
    )
    forward = cross_entropy(vector, truth, params)
    return mpf(params.get("alpha", 0.1)) * forward + mpf(params.get("beta", 1)) * reverse


def cumulated(vector: list[Number], truth: list[Number], params: Params) -> Number:
    """The sum over k of P(class ≤ k) minus the same of the target, squared."""
    with mp.workdps(400):  # the difference may be as small as 1e-200
        if params.get("from_logits"):
            odds = [mp.exp(z) for z in vector]
            vector = [odd / mp.fsum(odds) for odd in odds]
        places = range(1, len(vector) + 1)
        return mp.fsum((mp.fsum(vector[:k]) - mp.fsum(truth[:k])) ** 2 for k in places)


def ranked(inputs: Arrays, params: Params) -> Terms:
    first = int(params.get("first_class", 0))
    shifted = {**inputs, "target": inputs["target"] - first} if first else inputs
    return class_terms(cumulated)(shifted, params)


def categorical_hinge(vector: list[Number], truth: list[Number], params: Params) -> Number:
    others = max((1 - y) * z for y, z in zip(truth, vector, strict=True))
    return max(mpf(0), others - dot(truth, vector) + 1)


def rivals(vector: list[Number], truth: list[Number]) -> list[Number]:
    """How far each other class is ahead of the target's."""
    own = vector[truth.index(1)]
    return [z - own for z, y in zip(vector, truth, strict=True) if y != 1]


def crammer_singer(vector: list[Number], truth: list[Number], params: Params) -> Number:
    margin = mpf(params.get("margin", 1))
    return max(max(mpf(0), margin + lead) for lead in rivals(vector, truth))


def multi_margin(vector: list[Number], truth: list[Number], params: Params) -> Number:
    margin, exponent = mpf(params.get("margin", 1)), int(params.get("p", 1))
    terms = [max(mpf(0), margin + lead) ** exponent for lead in rivals(vector, truth)]
    return mp.fsum(terms) / len(vector)


def perceptron(vector: list[Number], truth: list[Number], params: Params) -> Number:
    return max(vector) * mp.fsum(truth) - dot(truth, vector)


def sparsemax(vector: list[Number], truth: list[Number], params: Params) -> Number:
    """The paper's equation 27, the support found by dropping what falls below the threshold."""
    top = max(vector)  # rows that sum to 1 only nearly do not depend on it then
    vector = [z - top for z in vector]
    support = vector
    while True:
        threshold = (mp.fsum(support) - 1) / len(support)
        kept = [z for z in support if z > threshold]
        if len(kept) == len(support):
            break
        support = kept
    squares = mp.fsum(z**2 - threshold**2 for z in support)
    return -dot(truth, vector) + squares / 2 + dot(truth, truth) / 2


def top_k_error(vector: list[Number], truth: list[Number], params: Params) -> Number:
    own = truth.index(1)
    ties = params.get("ties", "against")
    first = {"against": 0, "first": 1, "last": -1}[ties]  # which of equal scores comes first
    order = sorted(range(len(vector)), key=lambda c: (-vector[c], first * c if first else c == own))
    return mpf(order.index(own) >= int(params.get("k", 1)))


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "cross_entropy": weighed_terms(cross_entropy),
    "categorical_crossentropy": class_terms(cross_entropy),
    "sparse_categorical_crossentropy": class_terms(cross_entropy),
    "pixel_cross_entropy": class_terms(cross_entropy),
    "nll": class_terms(log_likelihood),
    "perplexity": class_terms(cross_entropy, mp.exp),
    "focal": weighed_terms(focal_each),
    "poly1": class_terms(poly1),
    "generalized_cross_entropy": class_terms(generalized),
    "symmetric_cross_entropy": class_terms(symmetric),
    "rps": ranked,
    "squared_emd": class_terms(cumulated),
    "categorical_hinge": class_terms(categorical_hinge),
    "crammer_singer": class_terms(crammer_singer),
    "multi_margin": weighed_terms(multi_margin),
    "multiclass_perceptron": class_terms(perceptron),
    "sparsemax": class_terms(sparsemax),
    "top_k_error": class_terms(top_k_error),
}
