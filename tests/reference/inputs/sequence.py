"""Sequences: makers of inputs."""

from __future__ import annotations

from numpy.random import RandomState

from tests.reference.inputs.parts import Arrays, logarithm, normalised, uniform


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


def series(
    rng: RandomState,
    rows: int = 5,
    steps: int = 4,
    other: int = 5,
    size: int | None = None,
    dtype: str = "float64",
    lengths: bool = False,
    span: float = 3.0,
) -> Arrays:
    """Numbers over time, or vectors of a ``size``; the target has another number of steps."""
    arrays: Arrays = {}
    for name, count in (("prediction", steps), ("target", other)):
        shape = (rows, count) if size is None else (rows, count, size)
        arrays[name] = uniform(rng, shape, -span, span).astype(dtype)
        if lengths:
            arrays[f"{name}_lengths"] = rng.randint(1, count + 1, rows)
    return arrays


MAKERS = (sequences, series)
