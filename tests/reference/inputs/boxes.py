"""Boxes: makers of inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import RandomState

from tests.reference.inputs.parts import Arrays, uniform


def boxes(
    rng: RandomState,
    rows: int = 7,
    shape: Sequence[int] = (),
    spread: float = 6.0,
    size: float = 8.0,
    shift: float | None = None,
    dtype: str = "float64",
) -> Arrays:
    """Corners of boxes with sides up to ``size``, begun in ``spread``.

    With ``shift`` each target is its prediction with corners moved by up to that.
    """
    start = uniform(rng, (2, rows, *shape, 2), 0.0, spread)
    sides = uniform(rng, (2, rows, *shape, 2), 0.1 * size, size)
    pair = np.concatenate([start, start + sides], axis=-1)
    if shift is not None:
        pair[1] = pair[0] + uniform(rng, pair[0].shape, -shift, shift)
    if np.dtype(dtype).kind in "iu":
        pair = np.rint(pair)
    prediction, target = pair.astype(dtype)
    return {"prediction": prediction, "target": target}


MAKERS = (boxes,)
