"""Sequences: the definitions, at 50 digits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from mpmath import mp, mpf

from tests.reference.exact.parts import Arrays, Number, Params, Terms, rows, surprises

Gap = Callable[[list[Number], list[Number]], Number]
Join = Callable[[list[Number]], Number]


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


def ctc_by_prefixes(
    steps: list[list[Number]], labels: tuple[int, ...], blank: int, never: Number
) -> Number:
    """The same, by the usual recursion, on probabilities (50 digits need no logarithms).

    ``never`` is the weight of a path that begins elsewhere, and of a step that leaves out a
    blank between equal labels.
    """
    states = [blank]
    for label in labels:
        states += [label, blank]
    alive = [mpf(1)] + [never] * (len(states) - 1)
    for step in steps:
        fresh = []
        for s, state in enumerate(states):
            reached = alive[s] + (alive[s - 1] if s else 0)
            if s > 1 and state != blank:
                reached += alive[s - 2] * (never if state == states[s - 2] else 1)
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
        sequence = tuple(int(label) for label in labels[:size] if label != params.get("padding"))
        never = mp.exp(params["log_zero"]) if "log_zero" in params else mpf(0)
        probability = ctc_by_prefixes(steps, sequence, blank, never)
        if len(steps[0]) ** length <= 5000 and not never:
            paths = ctc_by_paths(steps, sequence, blank)
            assert abs(paths - probability) <= probability * mpf(10) ** -40
        lost = probability == 0 and params.get("zero_infinity", False)
        share = max(len(sequence), 1) if params.get("normalize") == "labels" else 1
        values.append([mpf(0) if lost else -mp.log(probability) / share])
    return Terms(values)


Point = list[Number]


def alignments(i: int, j: int) -> Iterator[list[tuple[int, int]]]:
    """Every way from the first steps to steps i and j."""
    if i < 0 or j < 0:
        return
    if i == j == 0:
        yield [(0, 0)]
        return
    for di, dj in ((1, 0), (0, 1), (1, 1)):
        for way in alignments(i - di, j - dj):
            yield [*way, (i, j)]


def accumulated(x: list[Point], y: list[Point], gap: Gap, join: Join) -> Number:
    """The cost at the ends, place by place: ``join`` makes one cost of those that lead there."""
    costs: dict[tuple[int, int], Number] = {}
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            places = ((i - 1, j), (i, j - 1), (i - 1, j - 1))
            before = [costs[place] for place in places if place in costs]
            costs[i, j] = gap(a, b) + (join(before) if before else 0)
    return costs[len(x) - 1, len(y) - 1]


def warped(gap: Gap, join: Callable[[Params], Join]) -> Callable[[Arrays, Params], Terms]:
    def reference(inputs: Arrays, params: Params) -> Terms:
        pairs = zip(points(inputs, "prediction"), points(inputs, "target"), strict=True)
        joined, values = join(params), []
        for x, y in pairs:
            value = accumulated(x, y, gap, joined)
            if len(x) * len(y) <= 20:
                ways = alignments(len(x) - 1, len(y) - 1)
                every = joined([mp.fsum(gap(x[i], y[j]) for i, j in way) for way in ways])
                assert abs(every - value) <= abs(value) * mpf(10) ** -40
            values.append([value])
        return Terms(values)

    return reference


def points(inputs: Arrays, name: str) -> list[list[Point]]:
    """Each series as vectors, up to its own length."""
    array = inputs[name]
    lengths = inputs.get(f"{name}_lengths", np.full(len(array), array.shape[1])).tolist()
    flat = array.reshape(*array.shape[:2], -1).tolist()
    return [
        [[mpf(v) for v in step] for step in steps[:length]]
        for steps, length in zip(flat, lengths, strict=True)
    ]


def euclidean(a: Point, b: Point) -> Number:
    return mp.sqrt(squared(a, b))


def squared(a: Point, b: Point) -> Number:
    return mp.fsum((p - q) ** 2 for p, q in zip(a, b, strict=True))


def soft(params: Params) -> Join:
    gamma = mpf(params.get("gamma", 1))
    if gamma == 0:
        return min
    return lambda costs: -gamma * mp.log(mp.fsum(mp.exp(-cost / gamma) for cost in costs))


REFERENCES: dict[str, Callable[[Arrays, Params], Terms]] = {
    "ctc": ctc,
    "dtw": warped(euclidean, lambda _: min),
    "soft_dtw": warped(squared, soft),
}
