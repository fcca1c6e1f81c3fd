"""Counts and likelihoods: makers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import RandomState

from tests.reference.inputs.parts import Arrays, uniform


def ensemble(
    rng: RandomState,
    rows: int = 5,
    members: int = 4,
    variables: Sequence[int] = (),
    dtype: str = "float64",
    ascending: bool = False,
    grid: float | None = None,
) -> Arrays:
    """Members of a forecast, or its quantiles, and what came of it; in steps of ``grid``."""
    prediction = uniform(rng, (rows, members, *variables), -2.0, 3.0)
    target = uniform(rng, (rows, *variables), -2.0, 3.0)
    if grid is not None:
        prediction, target = (np.rint(x / grid) * grid for x in (prediction, target))
    if ascending:
        prediction = np.sort(prediction, axis=1)
    return {"prediction": prediction.astype(dtype), "target": target.astype(dtype)}


def interval(
    rng: RandomState, rows: int = 7, shape: Sequence[int] = (), dtype: str = "float64"
) -> Arrays:
    """Intervals, of which about half hold the target."""
    ends = np.sort(uniform(rng, (2, rows, *shape), -2.0, 3.0), axis=0)
    target = uniform(rng, (rows, *shape), -2.0, 3.0)
    arrays = {"lower": ends[0], "upper": ends[1], "target": target}
    return {name: array.astype(dtype) for name, array in arrays.items()}


MAKERS = (ensemble, interval)
