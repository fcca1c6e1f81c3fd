"""Distributions: makers of inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import RandomState

from tests.reference.inputs.parts import Arrays, logarithm, normalised, one_hot, probabilities


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


MAKERS = (distributions,)
