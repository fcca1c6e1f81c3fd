"""Makers that several tasks use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.random import RandomState

from tests.reference.inputs.parts import (
    Arrays,
    logarithm,
    normalised,
    one_hot,
    probabilities,
    uniform,
)


def given(rng: RandomState, dtype: Any = "float64", **arrays: Any) -> Arrays:
    """Arrays written out in the key. ``dtype`` is one for all or one by name."""
    types = dtype if isinstance(dtype, Mapping) else dict.fromkeys(arrays, dtype)
    return {name: np.array(values, types.get(name)) for name, values in arrays.items()}


def fields(
    rng: RandomState,
    names: Mapping[str, Sequence[float]],
    rows: int | Mapping[str, int] = 7,
    shape: Sequence[int] = (),
    dtype: str | Mapping[str, str] = "float64",
    labels: Mapping[str, Sequence[float]] | None = None,
    label_dtype: str = "float64",
) -> Arrays:
    """Real arrays, each uniform in its own range; ``labels`` are drawn from a list, one a row.

    Integers of one type never coincide between the arrays.
    """
    arrays: Arrays = {}
    for name, (low, high) in names.items():
        count = rows[name] if isinstance(rows, Mapping) else rows
        kind = np.dtype(dtype[name] if isinstance(dtype, Mapping) else dtype)
        size = (count, *shape)
        if kind.kind in "iu":
            array = rng.randint(int(low), int(high) + 1, size).astype(kind)
            for other in arrays.values():
                if other.shape == array.shape:
                    array[array == other] ^= 1
        else:
            array = uniform(rng, size, low, high).astype(kind)
        arrays[name] = array
    for name, choices in (labels or {}).items():
        count = rows if isinstance(rows, int) else max(rows.values())
        arrays[name] = np.asarray(choices)[rng.randint(0, len(choices), count)].astype(label_dtype)
    return arrays


def binary(
    rng: RandomState,
    rows: int = 7,
    shape: Sequence[int] = (),
    dtype: str = "float64",
    scores: float | None = None,
    soft: bool = False,
    labels: tuple[float, float] = (0, 1),
    target_dtype: str = "float64",
    empty: Sequence[int] = (),
) -> Arrays:
    """Probabilities, or scores in ±``scores``, against two labels or soft targets.

    Integer predictions are rounded: hard decisions, or whole scores. In the rows
    named by ``empty`` prediction and target are 0.
    """
    size = (rows, *shape)
    if scores is None:
        prediction = uniform(rng, size, 0.02, 0.98)
    else:
        prediction = uniform(rng, size, -scores, scores)
    if np.dtype(dtype).kind in "iub":
        prediction = np.rint(prediction)
    prediction = prediction.astype(dtype)
    if soft:
        target = uniform(rng, size, 0.0, 1.0).astype(target_dtype)
    else:
        truth = rng.random_sample(size) < 0.4
        truth.flat[:2] = (True, False)
        target = np.where(truth, labels[1], labels[0]).astype(target_dtype)
    for row in empty:
        prediction[row] = 0
        target[row] = 0
    return {"prediction": prediction, "target": target}


def classes(
    rng: RandomState,
    rows: int = 7,
    count: int = 5,
    spatial: Sequence[int] = (),
    last: bool = True,
    kind: str = "probability",
    dtype: str = "float64",
    target: str = "ids",
    target_dtype: str = "int64",
    scale: float = 4.0,
    ignore: float | None = None,
    blank_rows: Sequence[int] = (),
    absent: Sequence[int] = (),
) -> Arrays:
    """A prediction for each class (``kind`` is probability, logit or log) and its targets.

    Targets are ids, one-hot or soft rows. ``ignore`` replaces a quarter of the ids, and all ids of
    ``blank_rows``; the classes of ``absent`` never occur in the target.
    """
    size = (rows, *spatial, count)
    raw = rng.random_sample(size)
    if kind == "logit":
        prediction = ((2 * raw - 1) * scale).astype(dtype)
    elif kind == "log":
        prediction = logarithm(normalised(raw + 0.05), dtype)
    else:
        prediction = probabilities(raw + 0.05, dtype)
    ids = rng.randint(0, count, size[:-1])
    for absentee in absent:
        ids[ids == absentee] = (absentee + 1) % count
    if target == "soft":
        truth = probabilities(rng.random_sample(size) + 0.02, target_dtype)
    elif target == "onehot":
        truth = one_hot(ids, count).astype(target_dtype)
    else:
        truth = ids.astype(target_dtype)
        if ignore is not None:
            truth[rng.random_sample(truth.shape) < 0.25] = ignore
            truth[list(blank_rows)] = ignore
    if not last:
        prediction = np.moveaxis(prediction, -1, 1)
        if truth.ndim == prediction.ndim:
            truth = np.moveaxis(truth, -1, 1)
    return {"prediction": np.ascontiguousarray(prediction), "target": np.ascontiguousarray(truth)}


MAKERS = (given, fields, binary, classes)
