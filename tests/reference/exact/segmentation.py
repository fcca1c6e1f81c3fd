"""Segmentation: the definitions, at 50 digits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from mpmath import mp, mpf

from tests.reference.exact.parts import (
    Arrays,
    Number,
    Params,
    Terms,
    bernoulli,
    class_axis,
    class_cells,
    mean,
    power,
    samples,
    signed,
    surprises,
    times,
    truth_vector,
)

Pixel = tuple[Number, Number]  # prediction and truth of one class


def masks(inputs: Arrays, params: Params) -> list[list[list[Pixel]]]:
    """By sample, by class: the pixels that are not ignored. A binary mask is one class."""
    prediction, target = inputs["prediction"], inputs["target"]
    ignored = params.get("ignore_index")
    if prediction.ndim <= 3 and prediction.shape == target.shape and "axis" not in params:
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
            if params.get("from_logits") and params.get("multilabel"):
                vector = [1 / (1 + mp.exp(-z)) for z in vector]
            elif params.get("from_logits"):
                vector = [1 - missing for _, missing in surprises(vector, params)]
            truths = truth_vector(truth, len(vector))
            for plane, pixel in zip(planes, zip(vector, truths, strict=True), strict=True):
                plane.append(pixel)
        result.append(planes if params.get("background", True) else planes[1:])
    return result


def overlap_terms(score: Callable[[list[Pixel], Params], Number]) -> Any:
    """Loss of a class's pixels; over=sample means samples, over=dataset pools all pixels."""

    def of_planes(planes: list[list[Pixel]], params: Params) -> Number:
        if params.get("average", "macro") == "micro":
            planes = [list(itertools.chain(*planes))]
        values = []
        for plane in planes:
            there = any(y > 0 for _, y in plane)
            if there or params.get("absent", "count") == "count":
                values.append(score(plane, params))
            elif params["absent"] == "zero":
                values.append(mpf(0))
        return mean(values)

    def reference(inputs: Arrays, params: Params) -> Terms:
        by_sample = masks(inputs, params)
        values = [[of_planes(planes, params)] for planes in by_sample]
        if params.get("over", "sample") == "sample":
            return Terms(values)
        pooled = [list(itertools.chain(*planes)) for planes in zip(*by_sample, strict=True)]
        return Terms(values, dataset=of_planes(pooled, params))

    return reference


def smoothed(true: Number, size: Number, params: Params) -> Number:
    """1 − (true + s)/(size + s), with another s below or a least size."""
    above = mpf(params.get("smooth", 0))
    below = mpf(params.get("smooth_denominator", above))
    whole = max(size + below, mpf(params.get("least_denominator", 0)))
    if whole == 0:
        return mpf(0)
    return 1 - (true + above) / whole


def shared(pixels: list[Pixel], params: Params) -> Number:
    if params.get("intersection", "product") == "product":
        return mp.fsum(p * y for p, y in pixels)
    return mp.fsum(p + y - abs(p - y) for p, y in pixels) / 2


def dice(pixels: list[Pixel], params: Params) -> Number:
    exponent = 2 if params.get("squared") else 1
    size = mp.fsum(p**exponent + y**exponent for p, y in pixels)
    return smoothed(2 * shared(pixels, params), size, params)


def tversky(pixels: list[Pixel], params: Params) -> Number:
    true = shared(pixels, params)
    alpha, beta = (mpf(params.get(name, 0.5)) for name in ("alpha", "beta"))
    if params.get("alpha_weighs") == "false_negatives":
        alpha, beta = beta, alpha
    false_positive = mp.fsum(p for p, _ in pixels) - true
    false_negative = mp.fsum(y for _, y in pixels) - true
    return smoothed(true, true + alpha * false_positive + beta * false_negative, params)


def focal_tversky(pixels: list[Pixel], params: Params) -> Number:
    return power(tversky(pixels, params), mpf(params.get("gamma", 0.75)))


def jaccard(pixels: list[Pixel], params: Params) -> Number:
    return tversky(pixels, {**params, "alpha": 1, "beta": 1})


def mcc(pixels: list[Pixel], params: Params) -> Number:
    """1 − the correlation of prediction and truth, as Pearson wrote it."""
    if any(params.get(name) for name in ("smooth", "epsilon", "pseudocount")):
        return mcc_of_counts(pixels, params)
    count = len(pixels)
    if all(p == y for p, y in pixels):
        return mpf(0)
    both = mp.fsum(p * y for p, y in pixels)
    ps, ys = mp.fsum(p for p, _ in pixels), mp.fsum(y for _, y in pixels)
    spread = ps * (count - ps) * ys * (count - ys)
    if spread == 0:  # a constant correlates with nothing
        return mpf(1)
    return 1 - (count * both - ps * ys) / mp.sqrt(spread)


def mcc_of_counts(pixels: list[Pixel], params: Params) -> Number:
    extra, smooth = mpf(params.get("pseudocount", 0)), mpf(params.get("smooth", 0))
    if not extra and all(p == y for p, y in pixels):
        return mpf(0)
    tp = mp.fsum(p * y for p, y in pixels) + extra
    fp = mp.fsum(p * (1 - y) for p, y in pixels) + extra
    fn = mp.fsum((1 - p) * y for p, y in pixels) + extra
    tn = mp.fsum((1 - p) * (1 - y) for p, y in pixels) + extra
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn) + mpf(params.get("epsilon", 0))
    return 1 - (tp * tn - fp * fn + smooth) / (mp.sqrt(product) + smooth)


def class_weight(size: Number, params: Params) -> Number:
    power = {"square": 2, "simple": 1, "uniform": 0}[params.get("weights", "square")]
    below = size**power + mpf(params.get("epsilon", 0))
    return 1 / below if below else mp.inf


def generalized(planes: list[list[Pixel]], sizes: list[Number], params: Params) -> Number:
    """Of the planes of a sample, or of all; ``sizes`` are what the weights are made from."""
    kept = [at for at, plane in enumerate(planes) if plane]
    weights = {at: class_weight(sizes[at], params) for at in kept}
    finite = [w for w in weights.values() if w != mp.inf]
    fallback = max(finite) if finite else mpf(params.get("none_present", "equal") == "equal")
    weights = {at: fallback if w == mp.inf else w for at, w in weights.items()}
    smooth = mpf(params.get("smooth", 0))
    true = mp.fsum(w * sum(2 * p * y for p, y in planes[at]) for at, w in weights.items())
    size = mp.fsum(w * sum(p + y for p, y in planes[at]) for at, w in weights.items())
    return mpf(0) if size + smooth == 0 else 1 - (true + smooth) / (size + smooth)


def mean_of_dice(by_sample: list[list[list[Pixel]]], sizes: list[Number], params: Params) -> Number:
    """The classes' mean Dice losses, weighted."""
    weights = [class_weight(size, params) for size in sizes]
    finite = [w for w in weights if w != mp.inf]
    weights = [max(finite, default=mpf(1)) if w == mp.inf else w for w in weights]
    own = [mean([dice(plane, params) for plane in planes]) for planes in zip(*by_sample)]
    return mp.fsum(w * d for w, d in zip(weights, own, strict=True)) / mp.fsum(weights)


def generalized_terms(inputs: Arrays, params: Params) -> Terms:
    by_sample = masks(inputs, params)

    def value(samples_: list[list[list[Pixel]]]) -> Number:
        pooled = [list(itertools.chain(*planes)) for planes in zip(*samples_, strict=True)]
        sizes = [mp.fsum(y for _, y in plane) for plane in pooled]
        if params.get("combine", "ratio") == "mean":
            return mean_of_dice(samples_, sizes, params)
        return generalized(pooled, sizes, params)

    values = [[value([planes])] for planes in by_sample]
    if params.get("over", "sample") == "sample":
        return Terms(values)
    return Terms(values, dataset=value(by_sample))


# ---- a Dice loss and a loss of the pixels ------------------------------------------------


def pixel_terms(loss: str) -> Any:
    """A compound loss: the mean over classes of dice, and the mean over the pixels."""

    def reference(inputs: Arrays, params: Params) -> Terms:
        own = {name: params[name] for name in ("smooth", "squared") if name in params}
        split = {**params, "multilabel": loss == "dice_bce"}
        overlap = [mean([dice(plane, own) for plane in planes]) for planes in masks(inputs, split)]
        logits = {**params, "from_logits": params.get("from_logits") or params.get("pixel_logits")}
        raw = masks(inputs, {**params, "from_logits": False})
        apart = loss == "dice_bce" or len(raw[0]) == 1 or params.get("one_vs_rest")
        values = []
        for planes, part in zip(raw, overlap, strict=True):
            if apart:
                costs = [binary_cost(loss, *pixel, logits) for plane in planes for pixel in plane]
            else:
                costs = [class_cost(loss, cells, logits) for cells in zip(*planes, strict=True)]
            values.append([part + mean(costs)])
        return Terms(values)

    return reference


def binary_cost(loss: str, given: Number, y: Number, params: Params) -> Number:
    of_one, of_zero, p, missing = bernoulli(given, y, params)
    cost = times(y, of_one) + times(1 - y, of_zero)
    if loss != "dice_focal":
        return cost
    wrong = y * missing + (1 - y) * p
    alpha = params.get("alpha")
    share = 1 if alpha is None else mpf(alpha) * y + (1 - mpf(alpha)) * (1 - y)
    return share * power(wrong, mpf(params.get("gamma", 2))) * cost


def class_cost(loss: str, cells: tuple[Pixel, ...], params: Params) -> Number:
    vector, truth = [p for p, _ in cells], [y for _, y in cells]
    shares = truth_of(truth, len(vector), params)
    total = mpf(0)
    for c, (surprise, missing) in enumerate(surprises(vector, params)):
        cost = surprise
        if loss == "dice_focal":
            factor = params["alpha"][c] if "alpha" in params else 1
            cost = factor * power(missing, mpf(params.get("gamma", 2))) * surprise
        total += times(shares[c], cost)
    return total


def truth_of(truth: list[Number], count: int, params: Params) -> list[Number]:
    smoothing = mpf(params.get("label_smoothing", 0))
    return [(1 - smoothing) * y + smoothing / count for y in truth]


# ---- distances, by looking at every pair of pixels ---------------------------------------

Place = tuple[int, ...]


def spatial_of(inputs: Arrays, params: Params) -> tuple[int, ...]:
    shape = inputs["prediction"].shape
    if shape == inputs["target"].shape and "axis" not in params and len(shape) <= 3:
        return tuple(shape[1:])
    at = class_axis(inputs, params)
    return (*shape[1:at], *shape[at + 1 :])


def apart(a: Place, b: Place) -> Number:
    return mp.sqrt(sum((x - z) ** 2 for x, z in zip(a, b, strict=True)))


def nearest(place: Place, others: list[Place]) -> Number:
    return min((apart(place, other) for other in others), default=mp.inf)


def to_other_side(inside: dict[Place, bool]) -> dict[Place, Number]:
    """Of every pixel the distance to the nearest on the other side; 0 if there is none."""
    sides = {side: [q for q, own in inside.items() if own == side] for side in (True, False)}
    if not all(sides.values()):
        return dict.fromkeys(inside, mpf(0))
    return {q: nearest(q, sides[not own]) for q, own in inside.items()}


def map_terms(of_pixels: Callable[[dict[Place, Pixel], Params], list[Number]]) -> Any:
    def reference(inputs: Arrays, params: Params) -> Terms:
        places = list(itertools.product(*map(range, spatial_of(inputs, params))))
        values = []
        for planes in masks(inputs, params):
            maps = [dict(zip(places, plane, strict=True)) for plane in planes]
            values.append([value for pixels in maps for value in of_pixels(pixels, params)])
        return Terms(values)

    return reference


def hausdorff(pixels: dict[Place, Pixel], params: Params) -> list[Number]:
    alpha = mpf(params.get("alpha", 2))
    fields = [
        to_other_side({q: pixel[at] > mpf(0.5) for q, pixel in pixels.items()}) for at in (0, 1)
    ]
    return [
        (y - p) ** 2 * mp.fsum(field[q] ** alpha for field in fields)
        for q, (p, y) in pixels.items()
    ]


def level_set(pixels: dict[Place, Pixel], params: Params) -> list[Number]:
    distance = to_other_side({q: y == 1 for q, (_, y) in pixels.items()})
    if not any(distance.values()):
        return [mpf(0) for _ in pixels]
    return [p * (1 - distance[q] if y == 1 else distance[q]) for q, (p, y) in pixels.items()]


def parts(places: set[Place]) -> list[list[Place]]:
    """The parts that hang together along edges."""
    found, left = [], set(places)
    while left:
        part, edge = [], [left.pop()]
        while edge:
            q = edge.pop()
            part.append(q)
            touching = {r for r in left if sum(abs(a - b) for a, b in zip(q, r, strict=True)) == 1}
            left -= touching
            edge.extend(touching)
        found.append(part)
    return found


def unet(inputs: Arrays, params: Params) -> Terms:
    ignored = params.get("ignore_index")
    w0, sigma = mpf(params.get("w0", 10)), mpf(params.get("sigma", 5))
    values, masses = [], []
    for n, cells in enumerate(class_cells(inputs, params)):
        ids = {q: int(v) for q, v in np.ndenumerate(inputs["target"][n])}
        if "instances" in inputs:
            numbers = {q: int(v) for q, v in np.ndenumerate(inputs["instances"][n])}
            names = sorted(set(numbers.values()) - {0})
            objects = [[q for q, v in numbers.items() if v == name] for name in names]
        else:
            objects = parts({q for q, v in ids.items() if v not in (0, ignored)})
        occupied = set(itertools.chain(*objects))
        values.append([])
        masses.append([mpf(v != ignored) for v in ids.values()])
        for (q, y), (vector, _) in zip(ids.items(), cells, strict=True):
            if y == ignored:
                values[-1].append(mpf(0))
                continue
            weight = mpf(params["class_weights"][y]) if "class_weights" in params else mpf(1)
            if q not in occupied and len(objects) > 1:
                near = sorted(nearest(q, places) for places in objects)
                weight += w0 * mp.exp(-((near[0] + near[1]) ** 2) / (2 * sigma**2))
            values[-1].append(weight * surprises(vector, params)[y][0])
    return Terms(values, masses)


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


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "dice": overlap_terms(dice),
    "jaccard": overlap_terms(jaccard),
    "tversky": overlap_terms(tversky),
    "focal_tversky": overlap_terms(focal_tversky),
    "mcc_loss": overlap_terms(mcc),
    "generalized_dice": generalized_terms,
    "dice_bce": pixel_terms("dice_bce"),
    "dice_ce": pixel_terms("dice_ce"),
    "dice_focal": pixel_terms("dice_focal"),
    "hausdorff_dt": map_terms(hausdorff),
    "boundary": map_terms(level_set),
    "unet_weighted_ce": unet,
    "lovasz_hinge": lovasz_terms(lambda planes, _: hinge_errors(planes[0])),
    "lovasz_softmax": lovasz_terms(softmax_errors),
}
