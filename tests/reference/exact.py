"""The definitions, written out for mpmath at 50 digits: the arbiter between libraries.

Nothing here is fast, vectorised or clever. Each loss is its formula, on one element, one row or one
sample at a time, so that it can be read against the catalogue. ``terms`` gives what a loss computes
before any reduction, ``reduce`` does the reduction.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mpmath import mp, mpf
from numpy.typing import NDArray

mp.dps = 50

Number = Any  # mpf; mpmath is untyped
Array = NDArray[Any]
Arrays = Mapping[str, Array]
Params = Mapping[str, Any]

LOST = mpf(10) ** -30  # an eigenvalue below this is 0: nothing in the inputs is this small


@dataclass
class Terms:
    """Values and weights by sample and element, and the finish of their mean, if there is one.

    ``dataset`` is the value of the whole where it is not made from the samples' values.
    """

    values: list[list[Number]]
    weights: list[list[Number]] = field(default_factory=list)
    finish: Callable[[Number], Number] | None = None
    dataset: Number | None = None

    def __post_init__(self) -> None:
        self.weights = self.weights or [[mpf(1)] * len(row) for row in self.values]


@dataclass
class Reduced:
    value: Number
    per_sample: list[Number] | None


def terms(loss: str, inputs: Arrays, params: Params) -> Terms:
    return REFERENCES[loss](inputs, params)


def reduce(given: Terms, reduction: str, sample_weights: Array | None = None) -> Reduced:
    """Σwv/Σw over elements, Σwv, or Σwv/N; a finish applies to means only."""
    finish = given.finish or (lambda mean: mean)
    count = len(given.values)
    scale = [mpf(1)] * count if sample_weights is None else numbers(sample_weights)
    sums = [
        (mp.fsum(w * v for w, v in zip(ws, vs, strict=True) if w != 0), mp.fsum(ws))
        for vs, ws in zip(given.values, given.weights, strict=True)
    ]
    per_sample = [finish(total / mass) if mass else mp.nan for total, mass in sums]
    total = mp.fsum(s * t for s, (t, mass) in zip(scale, sums, strict=True) if mass)
    mass = mp.fsum(s * m for s, (_, m) in zip(scale, sums, strict=True))
    if reduction == "sum" and (given.finish or given.dataset is not None):
        value = mp.fsum(s * v for s, v in zip(scale, per_sample, strict=True) if not mp.isnan(v))
    elif reduction == "sum":
        value = total
    elif reduction == "batchmean":
        value = total / mp.fsum(scale)
    elif given.dataset is not None:
        value = given.dataset
    else:
        value = finish(total / mass)
    return Reduced(value, per_sample if given.values else None)


# Parts -------------------------------------------------------------------------------------------


def number(value: Any) -> Number:
    return mpf(value.item() if hasattr(value, "item") else value)


def numbers(array: Array) -> list[Number]:
    return [mpf(v) for v in array.reshape(-1).tolist()]


def samples(array: Array) -> list[list[Number]]:
    """The entries of each sample in one list."""
    return [[mpf(v) for v in row] for row in array.reshape(len(array), -1).tolist()]


def rows(array: Array) -> list[list[list[Number]]]:
    """The rows (last axis) of each sample."""
    return [
        [[mpf(v) for v in row] for row in sample.reshape(-1, sample.shape[-1]).tolist()]
        for sample in array
    ]


def xlog(x: Number, y: Number) -> Number:
    return mpf(0) if x == 0 else x * mp.log(y)


def ratio(x: Number, y: Number) -> Number:
    if y == 0:
        return mpf(0) if x == 0 else mp.inf
    return x / y


def power(x: Number, exponent: Number) -> Number:
    return mpf(1) if exponent == 0 else mpf(x) ** exponent


def dot(x: Iterable[Number], y: Iterable[Number]) -> Number:
    return mp.fsum(a * b for a, b in zip(x, y, strict=True))


def mean(values: Sequence[Number]) -> Number:
    return mp.fsum(values) / len(values)


# Element by element ------------------------------------------------------------------------------

Element = Callable[[Number, Number, Params], Number]


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
    return (mp.log1p(p) - mp.log1p(y)) ** 2


def poisson(p: Number, y: Number, params: Params) -> Number:
    value = mp.exp(p) - y * p if params.get("log_input") else p - xlog(y, p)
    return value + (mp.loggamma(y + 1) if params.get("full") else 0)


def contrastive(distance: Number, y: Number, params: Params) -> Number:
    if params.get("similar", 1) == 0:
        y = 1 - y
    gap = max(mpf(0), mpf(params.get("margin", 1)) - distance)
    value = y * distance**2 + (1 - y) * gap**2
    return value / 2 if params.get("half", True) else value


def signed(y: Number) -> Number:
    return mpf(1) if y > 0 else mpf(-1)


def hinge(p: Number, y: Number, params: Params) -> Number:
    return max(mpf(0), mpf(params.get("margin", 1)) - signed(y) * p)


def bernoulli(p: Number, y: Number, params: Params) -> tuple[Number, Number, Number, Number]:
    """−log p, −log(1−p), p and 1−p, of a probability or of a logit."""
    if params.get("from_logits"):
        return (
            mp.log1p(mp.exp(-p)),
            mp.log1p(mp.exp(p)),
            1 / (1 + mp.exp(-p)),
            1 / (1 + mp.exp(p)),
        )
    clip = mpf(params.get("clip", 0))
    p = min(max(p, clip), 1 - clip)
    return -mp.log(p), -mp.log(1 - p), p, 1 - p


def times(weight: Number, value: Number) -> Number:
    return mpf(0) if weight == 0 else weight * value


def bce(p: Number, y: Number, params: Params) -> Number:
    smoothing = mpf(params.get("label_smoothing", 0))
    y = (1 - smoothing) * y + smoothing / 2
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
    missing = no * y + yes * (1 - y)
    entropy = times(y, positive) + times(1 - y, negative)
    focus = power(missing, mpf(params.get("gamma", 2)))
    return times(balance * focus, entropy)


ELEMENTS: dict[str, Element] = {
    "mse": lambda p, y, _: (p - y) ** 2,
    "mae": lambda p, y, _: abs(p - y),
    "huber": huber,
    "smooth_l1": smooth_l1,
    "log_cosh": log_cosh,
    "mape": lambda p, y, _: ratio(abs(p - y), abs(y)),
    "smape": lambda p, y, _: ratio(2 * abs(p - y), abs(y) + abs(p)),
    "msle": msle,
    "poisson": poisson,
    "bce": bce,
    "weighted_bce": weighted_bce,
    "balanced_bce": balanced_bce,
    "binary_focal": binary_focal,
    "hinge": hinge,
    "squared_hinge": lambda p, y, params: hinge(p, y, params) ** 2,
}


def elementwise(
    element: Element, finish: Callable[[Number], Number] | None = None
) -> Callable[[Arrays, Params], Terms]:
    def reference(inputs: Arrays, params: Params) -> Terms:
        pairs = zip(samples(inputs["prediction"]), samples(inputs["target"]), strict=True)
        values = [[element(p, y, params) for p, y in zip(*pair, strict=True)] for pair in pairs]
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


# Classes -----------------------------------------------------------------------------------------

Cell = tuple[list[Number], "int | list[Number]"]


def class_axis(inputs: Arrays, params: Params) -> int:
    prediction, target = inputs["prediction"], inputs["target"]
    if "axis" in params:
        return int(params["axis"])
    if target.shape == prediction.shape:
        assert prediction.ndim == 2, "only (N, C) says which axis holds the classes"
        return 1
    fits = [
        axis
        for axis in range(1, prediction.ndim)
        if prediction.shape[:axis] + prediction.shape[axis + 1 :] == target.shape
    ]
    (axis,) = fits
    return axis


def class_cells(inputs: Arrays, params: Params) -> list[list[Cell]]:
    """By sample: every cell's class vector, and its class id or target vector."""
    axis = class_axis(inputs, params)
    prediction = np.moveaxis(inputs["prediction"], axis, -1)
    target = inputs["target"]
    if target.ndim == prediction.ndim:
        truths: list[list[Any]] = list(rows(np.moveaxis(target, axis, -1)))
    else:
        truths = [[int(v) for v in row] for row in target.reshape(len(target), -1).tolist()]
    return [
        list(zip(vectors, truth, strict=True))
        for vectors, truth in zip(rows(prediction), truths, strict=True)
    ]


def surprises(vector: list[Number], params: Params) -> list[tuple[Number, Number]]:
    """−log p and 1−p of every class."""
    if params.get("from_logits"):
        result = []
        for c, z in enumerate(vector):
            others = mp.fsum(mp.exp(o - z) for j, o in enumerate(vector) if j != c)
            result.append((mp.log1p(others), others / (1 + others)))
        return result
    clip = mpf(params.get("clip", 0))
    clipped = [min(max(p, clip), 1 - clip) for p in vector]
    return [(-mp.log(p), 1 - p) for p in clipped]


def truth_vector(truth: int | list[Number], count: int, smoothing: Number = 0) -> list[Number]:
    hard = [mpf(c == truth) for c in range(count)] if isinstance(truth, int) else truth
    smoothing = mpf(smoothing)
    return [(1 - smoothing) * y + smoothing / count for y in hard]


def class_terms(
    cell_value: Callable[[list[Number], list[Number], Params], Number],
    finish: Callable[[Number], Number] | None = None,
) -> Callable[[Arrays, Params], Terms]:
    def reference(inputs: Arrays, params: Params) -> Terms:
        ignored = params.get("ignore_index")
        weights = params.get("class_weights")
        values: list[list[Number]] = []
        masses: list[list[Number]] = []
        for cells in class_cells(inputs, params):
            values.append([])
            masses.append([])
            for vector, truth in cells:
                if isinstance(truth, int) and truth == ignored:
                    values[-1].append(mpf(0))
                    masses[-1].append(mpf(0))
                    continue
                hard = truth_vector(truth, len(vector))
                smooth = truth_vector(truth, len(vector), params.get("label_smoothing", 0))
                values[-1].append(cell_value(vector, smooth, params))
                mass = dot(numbers(np.array(weights)), hard) if weights else mpf(1)
                masses[-1].append(mass)
        return Terms(values, masses, finish)

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


def brier(inputs: Arrays, params: Params) -> Terms:
    if inputs["prediction"].ndim == 1:
        return elementwise(ELEMENTS["mse"])(inputs, params)

    def distance(vector: list[Number], truth: list[Number], _: Params) -> Number:
        return mp.fsum((p - y) ** 2 for p, y in zip(vector, truth, strict=True))

    return class_terms(distance)(inputs, params)


# Rows: distributions and vectors -----------------------------------------------------------------

Row = Callable[[list[Number], list[Number], Params], Number]


def row_terms(row: Row, names: tuple[str, str] = ("prediction", "target")) -> Any:
    def reference(inputs: Arrays, params: Params) -> Terms:
        pairs = zip(*(rows(inputs[name]) for name in names), strict=True)
        return Terms([[row(x, y, params) for x, y in zip(*pair, strict=True)] for pair in pairs])

    return reference


def divergence(row: Callable[..., Number], based: bool = True) -> Any:
    """A function of the row of prediction p and the row of target t."""

    def value(p: list[Number], t: list[Number], params: Params) -> Number:
        if params.get("log_prediction"):
            p = [mp.exp(v) for v in p]
        if params.get("log_target"):
            t = [mp.exp(v) for v in t]
        base = mpf(params["base"]) if "base" in params else mp.e
        return row(p, t, params) / (mp.log(base) if based else 1)

    return row_terms(value)


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


def triplet(inputs: Arrays, params: Params) -> Terms:
    distance = DISTANCES[params.get("distance", "squared_euclidean")]
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


# Segmentation ------------------------------------------------------------------------------------

Pixel = tuple[Number, Number]  # prediction and truth of one class


def masks(inputs: Arrays, params: Params) -> list[list[list[Pixel]]]:
    """By sample, by class: the pixels that are not ignored. A binary mask is one class."""
    prediction, target = inputs["prediction"], inputs["target"]
    ignored = params.get("ignore_index")
    if prediction.ndim <= 3 and prediction.shape == target.shape:
        result = []
        for ps, ys in zip(samples(prediction), samples(target), strict=True):
            if params.get("from_logits"):
                ps = [1 / (1 + mp.exp(-z)) for z in ps]
            result.append([[(p, y) for p, y in zip(ps, ys, strict=True) if y != ignored]])
        return result
    result = []
    for cells in class_cells(inputs, params):
        kept = [(v, y) for v, y in cells if not (isinstance(y, int) and y == ignored)]
        planes: list[list[Pixel]] = [[] for _ in cells[0][0]]
        for vector, truth in kept:
            if params.get("from_logits"):
                vector = [1 - missing for _, missing in surprises(vector, params)]
            truths = truth_vector(truth, len(vector))
            for plane, pixel in zip(planes, zip(vector, truths, strict=True), strict=True):
                plane.append(pixel)
        result.append(planes)
    return result


def overlap_terms(score: Callable[[list[Pixel], Params], Number]) -> Any:
    """Loss of a class's pixels; over=sample means samples, over=dataset pools all pixels."""

    def of_planes(planes: list[list[Pixel]], params: Params) -> Number:
        if params.get("average", "macro") == "micro":
            planes = [list(itertools.chain(*planes))]
        return mean([score(plane, params) for plane in planes])

    def reference(inputs: Arrays, params: Params) -> Terms:
        by_sample = masks(inputs, params)
        values = [[of_planes(planes, params)] for planes in by_sample]
        if params.get("over", "sample") == "sample":
            return Terms(values)
        pooled = [list(itertools.chain(*planes)) for planes in zip(*by_sample, strict=True)]
        return Terms(values, dataset=of_planes(pooled, params))

    return reference


def dice(pixels: list[Pixel], params: Params) -> Number:
    smooth = mpf(params.get("smooth", 0))
    exponent = 2 if params.get("squared") else 1
    size = mp.fsum(p**exponent + y**exponent for p, y in pixels)
    both = mp.fsum(p * y for p, y in pixels)
    if size + smooth == 0:
        return mpf(0)
    return 1 - (2 * both + smooth) / (size + smooth)


def tversky(pixels: list[Pixel], params: Params) -> Number:
    smooth = mpf(params.get("smooth", 0))
    true = mp.fsum(p * y for p, y in pixels)
    false_positive = mp.fsum(p * (1 - y) for p, y in pixels)
    false_negative = mp.fsum((1 - p) * y for p, y in pixels)
    alpha, beta = (mpf(params.get(name, 0.5)) for name in ("alpha", "beta"))
    size = true + alpha * false_positive + beta * false_negative
    if size + smooth == 0:
        return mpf(0)
    return 1 - (true + smooth) / (size + smooth)


def focal_tversky(pixels: list[Pixel], params: Params) -> Number:
    return power(tversky(pixels, params), mpf(params.get("gamma", 0.75)))


def jaccard(pixels: list[Pixel], params: Params) -> Number:
    return tversky(pixels, {**params, "alpha": 1, "beta": 1})


def mcc(pixels: list[Pixel], params: Params) -> Number:
    """1 − the correlation of prediction and truth, as Pearson wrote it."""
    count = len(pixels)
    if all(p == y for p, y in pixels):
        return mpf(0)
    both = mp.fsum(p * y for p, y in pixels)
    ps, ys = mp.fsum(p for p, _ in pixels), mp.fsum(y for _, y in pixels)
    spread = ps * (count - ps) * ys * (count - ys)
    if spread == 0:  # a constant correlates with nothing
        return mpf(1)
    return 1 - (count * both - ps * ys) / mp.sqrt(spread)


def lovasz_extension(errors: list[Number], foreground: Iterable[int]) -> Number:
    """∫ Δ({i: error_i ≥ θ}) dθ over θ > 0, Δ(M) = |M| / |Y ∪ M|: the extension's own definition."""
    truth = frozenset(foreground)
    levels = sorted({e for e in errors if e > 0}, reverse=True)
    total = mpf(0)
    for level, below in itertools.pairwise([*levels, mpf(0)]):
        wrong = frozenset(i for i, e in enumerate(errors) if e >= level)
        total += (level - below) * mpf(len(wrong)) / len(truth | wrong)
    return total


def hinge_errors(pixels: list[Pixel]) -> Number:
    errors = [max(mpf(0), 1 - signed(y) * z) for z, y in pixels]
    return lovasz_extension(errors, [i for i, (_, y) in enumerate(pixels) if y > 0])


def softmax_errors(planes: list[list[Pixel]], params: Params) -> Number:
    values = []
    for pixels in planes:
        foreground = [i for i, (_, y) in enumerate(pixels) if y == 1]
        if foreground or params.get("classes", "present") == "all":
            values.append(lovasz_extension([abs(y - p) for p, y in pixels], foreground))
    return mean(values)


def lovasz_terms(of_planes: Callable[[list[list[Pixel]], Params], Number]) -> Any:
    def reference(inputs: Arrays, params: Params) -> Terms:
        by_sample = masks(inputs, params)
        if params.get("per_image", True):
            return Terms([[of_planes(planes, params)] for planes in by_sample])
        pooled = [list(itertools.chain(*planes)) for planes in zip(*by_sample, strict=True)]
        return Terms([], dataset=of_planes(pooled, params))

    return reference


# Images and features -----------------------------------------------------------------------------


def total_variation(inputs: Arrays, params: Params) -> Terms:
    exponent = params.get("power", 2)
    by_mean = params.get("normalize", "none") == "mean"
    images = inputs["prediction"]
    if params.get("channels") == "last":
        images = np.moveaxis(images, -1, 1)
    values = []
    for image in images.reshape(len(images), -1, *images.shape[-2:]):
        across = [line for plane in rows(image) for line in plane]
        down = [line for plane in rows(image) for line in zip(*plane, strict=True)]
        total = mpf(0)
        for lines in (across, down):
            steps = [abs(b - a) ** exponent for line in lines for a, b in itertools.pairwise(line)]
            total += mp.fsum(steps) / (len(steps) if by_mean else 1)
        values.append([total])
    return Terms(values)


def perceptual(inputs: Arrays, params: Params) -> Terms:
    pairs = zip(samples(inputs["prediction"]), samples(inputs["target"]), strict=True)
    return Terms([[mp.fsum((p - y) ** 2 for p, y in zip(*pair, strict=True))] for pair in pairs])


# Adversarial -------------------------------------------------------------------------------------


def two_sided(
    real: Callable[[Number, Params], Number] | None,
    fake: Callable[[Number, Params], Number],
) -> Callable[[Arrays, Params], Terms]:
    """The mean over real plus the mean over fake; with no real part, an ordinary loss of fake."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        values = [fake(v, params) for v in numbers(inputs["fake"])]
        if real is None:
            return Terms([[v] for v in values])
        whole = mean([real(v, params) for v in numbers(inputs["real"])]) + mean(values)
        return Terms([], dataset=whole)

    return reference


def is_real(d: Number, params: Params) -> Number:
    return bernoulli(d, 1, params)[0]


def is_fake(d: Number, params: Params) -> Number:
    return bernoulli(d, 0, params)[1]


def fools(d: Number, params: Params) -> Number:
    if params.get("variant", "non_saturating") == "minimax":
        return -is_fake(d, params)
    return is_real(d, params)


def sign(params: Params) -> Number:
    return mpf(params.get("sign", 1))


# Sequences ---------------------------------------------------------------------------------------


def collapse(path: Iterable[int], blank: int) -> tuple[int, ...]:
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def ctc_by_paths(steps: list[list[Number]], labels: tuple[int, ...], blank: int) -> Number:
    """The probability of a label sequence: of all paths that collapse to it."""
    alphabet = range(len(steps[0]))
    total = mpf(0)
    for path in itertools.product(alphabet, repeat=len(steps)):
        if collapse(path, blank) == labels:
            total += mp.fprod(step[c] for step, c in zip(steps, path, strict=True))
    return total


def ctc_by_prefixes(steps: list[list[Number]], labels: tuple[int, ...], blank: int) -> Number:
    """The same, by the usual recursion, on probabilities (50 digits need no logarithms)."""
    states = [blank]
    for label in labels:
        states += [label, blank]
    alive = [mpf(0)] * len(states)
    alive[0] = mpf(1)
    for index, step in enumerate(steps):
        fresh = []
        for s, state in enumerate(states):
            if index == 0:
                reached = mpf(s < 2)
            else:
                reached = alive[s] + (alive[s - 1] if s else 0)
                if s > 1 and state not in (blank, states[s - 2]):
                    reached += alive[s - 2]
            fresh.append(reached * step[state])
        alive = fresh
    return mp.fsum(alive[-2:])


def ctc(inputs: Arrays, params: Params) -> Terms:
    blank = int(params.get("blank", 0))
    prediction, target = inputs["prediction"], inputs["target"]
    count = len(prediction)
    lengths = inputs.get("prediction_lengths", np.full(count, prediction.shape[1])).tolist()
    sizes = inputs.get("target_lengths", np.full(count, target.shape[1])).tolist()
    values = []
    for logs, labels, length, size in zip(
        rows(prediction), target.tolist(), lengths, sizes, strict=True
    ):
        if params.get("from_logits"):
            logs = [[-surprise for surprise, _ in surprises(row, params)] for row in logs]
        steps = [[mp.exp(v) for v in row] for row in logs[:length]]
        sequence = tuple(int(label) for label in labels[:size])
        probability = ctc_by_prefixes(steps, sequence, blank)
        if len(steps[0]) ** length <= 5000:
            paths = ctc_by_paths(steps, sequence, blank)
            assert abs(paths - probability) <= probability * mpf(10) ** -40
        lost = probability == 0 and params.get("zero_infinity", False)
        values.append([mpf(0) if lost else -mp.log(probability)])
    return Terms(values)


# Quantum -----------------------------------------------------------------------------------------


def matrices(array: Array) -> Iterator[Any]:
    for matrix in array:
        yield mp.matrix([[mp.mpc(complex(v)) for v in row] for row in matrix])


def eigen(matrix: Any) -> tuple[list[Number], Any]:
    values, vectors = mp.eighe(matrix)
    return [v if abs(v) > LOST else mpf(0) for v in values], vectors


def trace(matrix: Any) -> Number:
    return mp.fsum(mp.re(matrix[i, i]) for i in range(matrix.rows))


def function_of(matrix: Any, function: Callable[[Number], Number]) -> Any:
    values, vectors = eigen(matrix)
    return vectors * mp.diag([function(v) for v in values]) * vectors.H


def quantum_entropy(rho: Any, sigma: Any) -> Number:
    """−Tr(ρ log σ)"""
    values, vectors = eigen(sigma)
    total = mpf(0)
    for k, value in enumerate(values):
        vector = vectors[:, k]
        share = mp.re((vector.H * rho * vector)[0, 0])
        total -= xlog(share if abs(share) > LOST else mpf(0), value)
    return total


def matrix_terms(of_pair: Callable[[Any, Any], Number]) -> Any:
    """A function of the target ρ and the prediction σ."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        base = mp.log(mpf(params["base"])) if "base" in params else 1
        pairs = zip(matrices(inputs["target"]), matrices(inputs["prediction"]), strict=True)
        return Terms([[of_pair(rho, sigma) / base] for rho, sigma in pairs])

    return reference


def infidelity(rho: Any, sigma: Any) -> Number:
    root = function_of(rho, mp.sqrt)
    values, _ = eigen(root * sigma * root)
    return 1 - mp.fsum(mp.sqrt(v) for v in values) ** 2


def trace_distance(rho: Any, sigma: Any) -> Number:
    return mp.fsum(abs(v) for v in eigen(rho - sigma)[0]) / 2


# All ---------------------------------------------------------------------------------------------

REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    **{name: elementwise(element) for name, element in ELEMENTS.items()},
    "rmse": elementwise(ELEMENTS["mse"], mp.sqrt),
    "rmsle": elementwise(ELEMENTS["msle"], mp.sqrt),
    "pinball": pinball_terms,
    "gaussian_nll": gaussian_nll,
    "brier": brier,
    "cross_entropy": class_terms(cross_entropy),
    "categorical_crossentropy": class_terms(cross_entropy),
    "sparse_categorical_crossentropy": class_terms(cross_entropy),
    "pixel_cross_entropy": class_terms(cross_entropy),
    "nll": class_terms(log_likelihood),
    "perplexity": class_terms(cross_entropy, mp.exp),
    "focal": class_terms(focal),
    "kl_divergence": divergence(kl),
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
    "cosine_proximity": row_terms(lambda x, y, _: -cosine(x, y)),
    "cosine_distance": row_terms(lambda x, y, _: 1 - cosine(x, y)),
    "contrastive": contrastive_terms,
    "triplet": triplet,
    "margin_ranking": margin_ranking,
    "dice": overlap_terms(dice),
    "jaccard": overlap_terms(jaccard),
    "tversky": overlap_terms(tversky),
    "focal_tversky": overlap_terms(focal_tversky),
    "mcc_loss": overlap_terms(mcc),
    "lovasz_hinge": lovasz_terms(lambda planes, _: hinge_errors(planes[0])),
    "lovasz_softmax": lovasz_terms(softmax_errors),
    "total_variation": total_variation,
    "perceptual": perceptual,
    "gan_discriminator": two_sided(is_real, is_fake),
    "gan_generator": two_sided(None, fools),
    "lsgan_discriminator": two_sided(lambda d, _: (d - 1) ** 2 / 2, lambda d, _: d**2 / 2),
    "lsgan_generator": two_sided(None, lambda d, _: (d - 1) ** 2 / 2),
    "wasserstein_critic": two_sided(
        lambda d, params: sign(params) * d, lambda d, params: -sign(params) * d
    ),
    "wgan_generator": two_sided(None, lambda d, _: -d),
    "hinge_discriminator": two_sided(
        lambda d, _: max(mpf(0), 1 - d), lambda d, _: max(mpf(0), 1 + d)
    ),
    "hinge_generator": two_sided(None, lambda d, _: -d),
    "ctc": ctc,
    "quantum_cross_entropy": matrix_terms(quantum_entropy),
    "quantum_relative_entropy": matrix_terms(
        lambda rho, sigma: quantum_entropy(rho, sigma) - quantum_entropy(rho, rho)
    ),
    "infidelity": matrix_terms(infidelity),
    "trace_distance": matrix_terms(trace_distance),
}
