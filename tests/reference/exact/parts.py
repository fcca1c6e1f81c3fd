"""What the definitions share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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


Element = Callable[[Number, Number, Params], Number]


def signed(y: Number) -> Number:
    return mpf(1) if y > 0 else mpf(-1)


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


def elementwise(
    element: Element, finish: Callable[[Number], Number] | None = None
) -> Callable[[Arrays, Params], Terms]:
    def reference(inputs: Arrays, params: Params) -> Terms:
        pairs = zip(samples(inputs["prediction"]), samples(inputs["target"]), strict=True)
        values = [[element(p, y, params) for p, y in zip(*pair, strict=True)] for pair in pairs]
        return Terms(values, finish=finish)

    return reference


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


Row = Callable[[list[Number], list[Number], Params], Number]


def row_terms(row: Row, names: tuple[str, str] = ("prediction", "target")) -> Any:
    def reference(inputs: Arrays, params: Params) -> Terms:
        pairs = zip(*(rows(inputs[name]) for name in names), strict=True)
        return Terms([[row(x, y, params) for x, y in zip(*pair, strict=True)] for pair in pairs])

    return reference
