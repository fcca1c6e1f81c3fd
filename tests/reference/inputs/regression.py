"""Regression: makers."""

from __future__ import annotations

from numpy.random import RandomState

from tests.reference.inputs.parts import Arrays, uniform


def forecast(
    rng: RandomState, rows: int = 5, horizon: int = 3, steps: int = 8, dtype: str = "float64"
) -> Arrays:
    """Forecasts, what came of them, and the values before."""
    return {
        name: uniform(rng, (rows, length), -2.0, 5.0).astype(dtype)
        for name, length in (("prediction", horizon), ("target", horizon), ("history", steps))
    }


MAKERS = (forecast,)
