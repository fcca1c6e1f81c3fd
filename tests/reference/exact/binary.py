"""Binary classification: the definitions, at 50 digits."""

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
    elementwise,
    power,
    samples,
    signed,
    times,
)

Element = Callable[[Number, Number, Params], Number]


def agreement(p: Number, y: Number, params: Params) -> Number:
    return (signed(y) if params.get("map_labels", True) else y) * p


def hinge(p: Number, y: Number, params: Params) -> Number:
    return max(mpf(0), mpf(params.get("margin", 1)) - agreement(p, y, params))


def modified_huber(p: Number, y: Number, params: Params) -> Number:
    z = agreement(p, y, params)
    return -4 * z if z < -1 else (1 - z) ** 2 if z < 1 else mpf(0)


def kept(element: Element) -> Callable[[Arrays, Params], Terms]:
    """By element, without those that ignore_index leaves out, or with 0 for them."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        ignored, counted = params.get("ignore_index"), params.get("count_ignored", False)
        values: list[list[Number]] = []
        masses: list[list[Number]] = []
        for ps, ys in zip(samples(inputs["prediction"]), samples(inputs["target"]), strict=True):
            out = [ignored is not None and y == ignored for y in ys]
            values.append([mpf(0) if o else element(p, y, params) for p, y, o in zip(ps, ys, out)])
            masses.append([mpf(counted or not o) for o in out])
        return Terms(values, masses)

    return reference


def bce(p: Number, y: Number, params: Params) -> Number:
    smoothing = mpf(params.get("label_smoothing", 0))
    other = 1 - y if params.get("smoothing_to") == "other" else mpf(1) / 2
    y = (1 - smoothing) * y + smoothing * other
    positive, negative, _, _ = bernoulli(p, y, params)
    return times(mpf(params.get("pos_weight", 1)) * y, positive) + times(1 - y, negative)


def weighted_bce(p: Number, y: Number, params: Params) -> Number:
    positive, negative, _, _ = bernoulli(p, y, params)
    return times(mpf(params["beta"]) * y, positive) + times(1 - y, negative)


def balanced_bce(p: Number, y: Number, params: Params) -> Number:
    positive, negative, _, _ = bernoulli(p, y, params)
    beta = mpf(params["beta"])
    return times(beta * y, positive) + times((1 - beta) * (1 - y), negative)


def binary_focal(p: Number, y: Number, params: Params) -> Number:
    positive, negative, yes, no = bernoulli(p, y, params)
    alpha = params.get("alpha")
    balance = mpf(1) if alpha is None else mpf(alpha) * y + (1 - mpf(alpha)) * (1 - y)
    entropy = times(y, positive) + times(1 - y, negative)
    missing = no * y + yes * (1 - y)
    if params.get("p_t") == "geometric":
        missing = 1 - power(yes, y) * power(no, 1 - y)
    elif params.get("p_t") == "logit":
        odds = no / yes if yes else mp.inf
        missing = 1 - 1 / (1 + power(odds, 2 * y - 1))
    focus = power(missing, mpf(params.get("gamma", 2)))
    return times(balance * focus, entropy)


def brier(inputs: Arrays, params: Params) -> Terms:
    if inputs["prediction"].ndim == 1 or params.get("multilabel"):
        return kept(lambda p, y, _: (p - y) ** 2)(inputs, params)

    def distance(vector: list[Number], truth: list[Number], _: Params) -> Number:
        half = params.get("halve_two") and len(vector) == 2
        squares = mp.fsum((p - y) ** 2 for p, y in zip(vector, truth, strict=True))
        return squares / 2 if half else squares

    return class_terms(distance)(inputs, params)


def decision(p: Number, y: Number, params: Params) -> Number:
    if params.get("hard"):
        return mpf(p != y)
    threshold = mpf(params.get("threshold", 0.5))
    if params.get("from_logits"):  # 1/(1 + exp −z) ≥ t, in which nothing is rounded to 1
        return mpf((1 - threshold >= threshold * mp.exp(-p)) != (y == 1))
    return mpf((p >= threshold) != (y == 1))


def zero_one(inputs: Arrays, params: Params) -> Terms:
    if params.get("hard"):  # the whole sample is one decision
        found = kept(decision)(inputs, params)
        rows = list(zip(found.values, found.weights, strict=True))
        wrong = [[mpf(any(v for v, w in zip(vs, ws, strict=True) if w))] for vs, ws in rows]
        return Terms(wrong, [[mpf(any(ws))] for _, ws in rows])
    classes = inputs["prediction"].ndim != inputs["target"].ndim
    if not (classes or inputs["prediction"].ndim == 2 or "axis" in params):
        return kept(decision)(inputs, params)
    values: list[list[Number]] = []
    masses: list[list[Number]] = []
    for cells in class_cells(inputs, params):
        truths = [y if isinstance(y, int) else y.index(1) for _, y in cells]
        chosen = [min(range(len(p)), key=lambda c: (-p[c], c)) for p, _ in cells]
        values.append([mpf(c != y) for c, y in zip(chosen, truths, strict=True)])
        masses.append([mpf(y != params.get("ignore_index")) for y in truths])
    return Terms(values, masses)


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "bce": kept(bce),
    "weighted_bce": elementwise(weighted_bce),
    "balanced_bce": elementwise(balanced_bce),
    "binary_focal": elementwise(binary_focal),
    "hinge": elementwise(hinge),
    "squared_hinge": elementwise(lambda p, y, params: hinge(p, y, params) ** 2),
    "logistic": elementwise(lambda p, y, params: mp.log1p(mp.exp(-agreement(p, y, params)))),
    "exponential": elementwise(lambda p, y, params: 1 / mp.exp(agreement(p, y, params))),
    "modified_huber": elementwise(modified_huber),
    "perceptron": elementwise(lambda p, y, params: max(mpf(0), -agreement(p, y, params))),
    "brier": brier,
    "zero_one": zero_one,
    "hamming": kept(decision),
}
