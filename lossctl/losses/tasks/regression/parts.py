"""What several regression losses share."""

from __future__ import annotations

from typing import Any

from lossctl.losses.definition import Array, ArrayModule, Convention, Param, Sums

OUTPUTS = Param(
    "outputs",
    "pooled",
    "several outputs together, or the mean of each output's own value",
    choices=("pooled", "mean"),
)
TWO_OUTPUTS = {"prediction": [[4.0, 1.0], [2.0, 1.0]], "target": [[1.0, 1.0], [1.0, 2.0]]}
_KERAS_SUM = "sum adds the means of rows; weights multiply, and the mean divides by the count"


def keras(call: str, note: str = "", **params: Any) -> Convention:
    """How Keras reduces every loss that it takes element by element."""
    note = f"{note}; {_KERAS_SUM}" if note else _KERAS_SUM
    return Convention(f"keras.losses.{call}", params, note=note, row_means=True, multiplies=True)


def square_root(xp: ArrayModule, sums: Array, weights: Array, **_: Any) -> Array:
    """The root of the mean."""
    return xp.sqrt(sums / weights)


def by_output(values: Array, outputs: str) -> Array | Sums:
    """Per-element values, (n, …); where the outputs are told apart, a statistic for each."""
    if outputs == "pooled":
        return values
    return Sums(values.reshape(len(values), -1).astype("float64", copy=False))


def columns(array: Array) -> Array:
    """An input (n, …) as float64 with one column for each output."""
    return array.reshape(len(array), -1).astype("float64", copy=False)
