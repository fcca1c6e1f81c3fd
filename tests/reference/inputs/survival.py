"""Survival: makers."""

from __future__ import annotations

from numpy.random import RandomState

from tests.reference.inputs.parts import Arrays, uniform


def cohort(
    rng: RandomState,
    rows: int = 9,
    times: int | None = None,
    censored: float = 0.3,
    scale: float = 2.0,
    dtype: str = "float64",
) -> Arrays:
    """Risks, times and events; ``times`` whole numbers, so that there are ties, or any."""
    if times is None:
        time = uniform(rng, (rows,), 0.0, 10.0)
    else:
        time = rng.randint(0, times, rows).astype(float)
    return {
        "prediction": uniform(rng, (rows,), -scale, scale).astype(dtype),
        "time": time.astype(dtype),
        "event": (rng.random_sample(rows) >= censored).astype("int64"),
    }


MAKERS = (cohort,)
