"""Ranking: makers of inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import RandomState

from tests.reference.inputs.parts import Arrays, uniform


def ranked(
    rng: RandomState,
    rows: int = 7,
    length: int = 5,
    dtype: str = "float64",
    target_dtype: str = "int64",
    scale: float = 3.0,
    grades: int = 4,
    soft: bool = False,
    whole: bool = False,
    equal: Sequence[int] = (),
    irrelevant: Sequence[int] = (),
    mask: str = "",
    blank: Sequence[int] = (),
) -> Arrays:
    """Scores in ±``scale`` (``whole``: tied ones) against grades, or relevance in [0, grades].

    ``equal`` names rows of one relevance, ``irrelevant`` those of none, ``blank`` those of no
    items; ``mask`` is the dtype of a mask, under whose zeros are numbers that must not matter.
    """
    size = (rows, length)
    prediction = uniform(rng, size, -scale, scale)
    prediction = (np.rint(prediction) if whole else prediction).astype(dtype)
    target = uniform(rng, size, 0, grades) if soft else rng.randint(0, grades, size)
    target = target.astype(target_dtype)
    target[:, 0] = np.where(target.max(axis=1) == 0, 1, target[:, 0])
    target[list(equal)] = 2
    target[list(irrelevant)] = 0
    arrays = {"prediction": prediction, "target": target}
    if mask:
        real = rng.random_sample(size) < 0.7
        real[:, 0] = True
        real[list(blank)] = False
        arrays["mask"] = real.astype(mask)
        target[~real] = -1 if np.dtype(target_dtype).kind != "u" else 9
        prediction[~real] = 9
    return arrays


MAKERS = (ranked,)
