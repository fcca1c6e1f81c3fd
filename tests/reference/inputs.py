"""The inputs of the reference cases, made from a key so that nobody has to store the arrays.

A key is a JSON object: ``{"make": "fields", "rows": 7, "seed": 1, …}`` names a maker below and its
arguments. ``freeze.py`` and ``test_reference.py`` build the same arrays from the same key.

To be the same bits on every platform and for ever, the makers draw only uniform numbers and
integers from ``numpy.random.RandomState`` (whose streams are frozen), and use only correctly
rounded operations on them (no exp, no matrix product that rounds; sums run in a fixed order). The
one logarithm is rounded to a grid far coarser than its own error. ``digest`` lets the test tell
inputs that drifted from a loss that is wrong.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = dict[str, Array]
Key = Mapping[str, Any]

LOG_GRID = 2.0**44


def build(key: Key) -> Arrays:
    """The arrays that a key names.

    Every maker takes ``rows`` and ``dtype``; ``weight`` adds a weight for each row, and ``put``
    overwrites single entries (``{"prediction": {"3": 1e4}}``, by flat index) after all else.
    """
    arguments = dict(key)
    make = MAKERS[arguments.pop("make")]
    seed = arguments.pop("seed", 0)
    put = arguments.pop("put", {})
    weight = arguments.pop("weight", False)
    rng = RandomState(seed)
    arrays = make(rng, **arguments)
    if weight:
        rows = len(next(iter(arrays.values())))
        arrays["weight"] = uniform(rng, (rows,), 0.2, 2.0)
    for name, entries in put.items():
        for index, value in entries.items():
            arrays[name].flat[int(index)] = value
    return arrays


def digest(arrays: Arrays) -> str:
    """A short fingerprint of names, types, shapes and values."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        little = array.dtype.newbyteorder("<")
        sha.update(f"{name} {little.str} {array.shape};".encode())
        sha.update(array.astype(little, copy=False).tobytes())
    return sha.hexdigest()[:16]


# Parts -------------------------------------------------------------------------------------------


def uniform(rng: RandomState, shape: tuple[int, ...], low: float, high: float) -> Array:
    return low + (high - low) * rng.random_sample(shape)


def normalised(rows: Array) -> Array:
    """Non-negative rows divided by their sums, which are taken from left to right."""
    total = np.zeros(rows.shape[:-1])
    for column in range(rows.shape[-1]):
        total = total + rows[..., column]
    return rows / total[..., None]


def probabilities(rows: Array, dtype: str) -> Array:
    """Rows that sum to 1 as well as the type allows; in float16, to exactly 1 in units of 1/256."""
    rows = normalised(rows)
    if dtype != "float16":
        return rows.astype(dtype)
    units = np.where(rows > 0, np.maximum(np.floor(rows * 256), 1), 0)
    flat = units.reshape(-1, units.shape[-1])
    flat[np.arange(len(flat)), flat.argmax(-1)] += 256 - flat.sum(-1)
    return (flat / 256).reshape(rows.shape).astype(dtype)


def logarithm(values: Array, dtype: str) -> Array:
    logs = np.array([math.log(v) for v in values.astype(float).flat]).reshape(values.shape)
    return (np.round(logs * LOG_GRID) / LOG_GRID).astype(dtype)


def one_hot(ids: Array, classes: int) -> Array:
    return np.asarray(ids[..., None] == np.arange(classes))


# Makers ------------------------------------------------------------------------------------------


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


def distributions(
    rng: RandomState,
    rows: int = 7,
    shape: Sequence[int] = (5,),
    dtype: str = "float64",
    target_dtype: str | None = None,
    zeros: Sequence[str] = (),
    logs: Sequence[str] = (),
    near: float | None = None,
) -> Arrays:
    """Two distributions a row. ``zeros`` names those with a zero in each row (the same place).

    An integer target is one-hot. ``logs`` names those given as logarithms. With ``near`` the two
    agree to about that relative error.
    """
    size = (rows, *shape)
    raw = {name: rng.random_sample(size) + 0.03 for name in ("prediction", "target")}
    if near is not None:
        raw["target"] = raw["prediction"] * (1 + near * (raw["target"] - 0.5))
    hole = one_hot(rng.randint(0, size[-1], size[:-1]), size[-1])
    arrays: Arrays = {}
    for name, values in raw.items():
        kind = (target_dtype or dtype) if name == "target" else dtype
        if name in zeros:
            values[hole] = 0
        if np.dtype(kind).kind in "iub":
            arrays[name] = one_hot(values.argmax(-1), size[-1]).astype(kind)
        elif name in logs:
            arrays[name] = logarithm(normalised(values), kind)
        else:
            arrays[name] = probabilities(values, kind)
    return arrays


def sequences(
    rng: RandomState,
    rows: int = 4,
    steps: int = 6,
    count: int = 4,
    labels: int = 3,
    kind: str = "log",
    dtype: str = "float64",
    scale: float = 4.0,
    lengths: bool = False,
    blank: int = 0,
) -> Arrays:
    """Per-step predictions over an alphabet, and label sequences that never hold the blank."""
    raw = rng.random_sample((rows, steps, count))
    if kind == "logit":
        prediction = ((2 * raw - 1) * scale).astype(dtype)
    else:
        prediction = logarithm(normalised(raw + 0.05), dtype)
    target = rng.randint(0, count - 1, (rows, labels))
    target[target >= blank] += 1
    arrays = {"prediction": prediction, "target": target}
    if lengths:
        # Feasible always: a label needs one step, a repeated one a blank before it.
        arrays["prediction_lengths"] = rng.randint(max(2 * labels - 1, 1), steps + 1, rows)
        arrays["target_lengths"] = rng.randint(1, labels + 1, rows)
    return arrays


def density(
    rng: RandomState,
    rows: int = 5,
    size: int = 3,
    dtype: str = "complex128",
    diagonal: bool = False,
) -> Arrays:
    """Density matrices A·A† / trace; A holds small multiples of 1/32, so A·A† is exact."""
    arrays: Arrays = {}
    for name in ("prediction", "target"):
        if diagonal:
            eigenvalues = normalised(rng.random_sample((rows, size)) + 0.05)
            arrays[name] = (eigenvalues[:, :, None] * np.eye(size)).astype(dtype)
            continue
        real, imaginary = (rng.randint(-32, 33, (rows, size, size)) / 32 for _ in range(2))
        factor = real + 1j * imaginary
        product = factor @ factor.conj().transpose(0, 2, 1) + np.eye(size) / 4
        trace = np.trace(product, axis1=1, axis2=2).real
        scale = trace[:, None, None]
        arrays[name] = (product.real / scale + 1j * (product.imag / scale)).astype(dtype)
    return arrays


MAKERS: dict[str, Callable[..., Arrays]] = {
    maker.__name__: maker
    for maker in (given, fields, binary, classes, distributions, sequences, density)
}
