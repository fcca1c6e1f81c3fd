"""Segmentation: makers of inputs."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from tests.reference.inputs.common import classes
from tests.reference.inputs.parts import Arrays


def objects(
    rng: RandomState, rows: int = 3, side: int = 8, count: int = 3, dtype: str = "float64"
) -> Arrays:
    """Maps of three classes, and rectangles numbered out of order that touch and overlap."""
    arrays = classes(rng, rows, 3, [side, side], last=False, dtype=dtype)
    instances = np.zeros((rows, side, side), "int32")
    for row in range(rows):
        for number in range(count, 0, -1):
            top, left = rng.randint(0, side - 2, 2)
            instances[row, top : top + 3, left : left + 2] = 7 * number - row
    target = np.where(instances > 0, 1 + instances % 2, 0)
    return {"prediction": arrays["prediction"], "target": target, "instances": instances}


MAKERS = (objects,)
