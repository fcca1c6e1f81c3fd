"""What the makers share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = dict[str, Array]
Key = Mapping[str, Any]

LOG_GRID = 2.0**44


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
