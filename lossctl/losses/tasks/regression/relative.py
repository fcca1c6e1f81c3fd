"""Errors relative to something: the target, its spread, its history."""

from __future__ import annotations

from typing import Any

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    InvalidInput,
    Param,
    Sums,
    loss,
)
from lossctl.losses.domains import ABOVE_MINUS_ONE
from lossctl.losses.numerics import difference, distance, log_ratio, ratio
from lossctl.losses.tasks.regression.parts import (
    OUTPUTS,
    TWO_OUTPUTS,
    by_output,
    columns,
    keras,
    square_root,
)


@loss(
    aliases=("mean_absolute_percentage_error",),
    summary="Mean absolute percentage error, as a fraction",
    formula="|e| / |y|; infinite where y = 0 and ŷ ≠ 0",
    params=(
        Param("percent", False, "100 times the fraction"),
        Param("epsilon", 0.0, "what |y| is at least taken for", least=0, unit="target"),
    ),
    use="Relative errors of positive targets; rewards predicting too low, breaks near 0.",
    traits=("relative", "asymmetric", "zero", "nonnegative"),
    reference="Makridakis 1993, Accuracy measures, Int. J. Forecasting 9",
    example=Example({"prediction": [3.0, 5.0], "target": [2, 4]}, 0.375),
    conventions={
        "keras": keras(
            "MeanAbsolutePercentageError",
            "in percent, divides by at least 1e-7",
            percent=True,
            epsilon=1e-7,
        ),
        "sklearn": Convention(
            "sklearn.metrics.mean_absolute_percentage_error",
            {"epsilon": 2.0**-52},
            note="divides by at least float64's epsilon",
        ),
    },
    contrast={"prediction": [3.0, 5.0, 1.0], "target": [2.0, 4.0, 0.0]},
)
def mape(
    xp: ArrayModule, prediction: Array, target: Array, *, percent: bool, epsilon: float
) -> Array:
    error = distance(xp, prediction, target) * (100 if percent else 1)
    return ratio(xp, error, xp.maximum(xp.abs(target), epsilon))


@loss(
    aliases=("symmetric_mean_absolute_percentage_error",),
    summary="Symmetric mean absolute percentage error, from 0 to 2",
    formula="2|e| / (|y| + |ŷ|); 0 where both are 0",
    use="Relative errors where targets may be 0; still kinder to predictions that are high.",
    traits=("relative", "bounded", "symmetric", "zero", "nonnegative"),
    reference="Makridakis 1993, Accuracy measures, Int. J. Forecasting 9",
    example=Example({"prediction": [3.0, 5.0], "target": [2, 4]}, (0.4 + 2 / 9) / 2),
)
def smape(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return ratio(xp, 2 * distance(xp, prediction, target), xp.abs(target) + xp.abs(prediction))


_LOG_INPUTS = (
    Input("prediction", help="> −1, without floor"),
    Input("target", help="> −1, without floor"),
)
_FLOOR = Param("floor", None, "what smaller values are raised to, on both sides", kind="number",
               above=-1)  # fmt: skip


@loss(
    name="rmsle",
    aliases=("root_mean_squared_logarithmic_error",),
    summary="Root mean squared logarithmic error",
    formula="√(mean (log1p ŷ − log1p y)²)",
    inputs=_LOG_INPUTS,
    params=(_FLOOR, OUTPUTS),
    use="As msle, on the scale of a log ratio.",
    traits=("relative", "symmetric", "zero", "nonnegative"),
    reference="scikit-learn's root_mean_squared_log_error, pooled over outputs",
    example=Example({"prediction": [1.0, 3.0], "target": [0, 1]}, 0.6931471805599453),
    finish=square_root,
    conventions={
        "sklearn": Convention(
            "sklearn.metrics.root_mean_squared_log_error",
            {"outputs": "mean"},
            note="the mean of the outputs' roots",
        ),
    },
    contrast=TWO_OUTPUTS,
)
@loss(
    name="msle",
    aliases=("mean_squared_logarithmic_error",),
    summary="Mean squared logarithmic error",
    formula="(log1p ŷ − log1p y)²",
    inputs=_LOG_INPUTS,
    params=(_FLOOR,),
    use="Targets over orders of magnitude, where ratios matter; lenient on predicting too high.",
    traits=("relative", "symmetric", "zero", "nonnegative"),
    reference="scikit-learn's mean_squared_log_error, domain above −1",
    example=Example({"prediction": [1.0, 3.0], "target": [0, 1]}, 0.4804530139182014),
    conventions={
        "keras": keras(
            "MeanSquaredLogarithmicError", "raises both sides to at least 1e-7", floor=1e-7
        ),
        "sklearn": Convention("sklearn.metrics.mean_squared_log_error"),
    },
    contrast={"prediction": [-0.5, 3.0], "target": [0.0, 1.0]},
)
def squared_log_error(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    floor: float | None,
    outputs: str = "pooled",
) -> Array | Sums:
    if floor is None:
        ABOVE_MINUS_ONE.check(xp, prediction, "prediction")
        ABOVE_MINUS_ONE.check(xp, target, "target")
    else:
        prediction, target = xp.maximum(prediction, floor), xp.maximum(target, floor)
    logs = xp.log1p(prediction), xp.log1p(target)
    log = log_ratio(xp, 1 + prediction, 1 + target, *logs, prediction - target)
    return by_output(xp.square(log), outputs)


def _ratio_of_sums(xp: ArrayModule, sums: Array, weights: Array) -> Array:
    return ratio(xp, sums[..., 0], sums[..., 1])


@loss(
    aliases=("wmape", "weighted_absolute_percentage_error"),
    summary="Weighted absolute percentage error, as a fraction",
    formula="Σ|e| / Σ|y|",
    use="Relative errors of a whole, where single targets may be 0; large targets rule it.",
    traits=("relative", "convex", "zero", "nonnegative"),
    reference="Kolassa & Schütz 2007, Advantages of the MAD/MEAN ratio over the MAPE, Foresight 6",
    example=Example({"prediction": [3, 5, 9], "target": [1, 6, 7]}, 5 / 14),
    finish=_ratio_of_sums,
)
def wape(xp: ArrayModule, prediction: Array, target: Array) -> Sums:
    error, size = columns(distance(xp, prediction, target)), columns(xp.abs(target))
    return Sums(xp.stack([error.sum(axis=1), size.sum(axis=1)], axis=1))


_LEAST_SHARE = 1e-6
"""The share of Σ(y − c)² below which its difference from (Σ(y − c))²/n has too few digits."""


def _share_of_spread(
    xp: ArrayModule, sums: Array, weights: Array, *, spread: Array | None, outputs: str
) -> Array:
    """Σe² over Σ(y − ȳ)², which is given exactly; else of Σ(y − c) and Σ(y − c)², or NaN."""
    error, shift, square = sums[..., 0], sums[..., 1], sums[..., 2]
    if spread is None:
        spread = square - xp.square(shift) / weights[..., 1]
        spread = xp.where(spread >= _LEAST_SHARE * square, spread, xp.nan)
    if outputs == "pooled":
        error, spread = error.sum(axis=-1), spread.sum(axis=-1)
    return ratio(xp, error, spread)


@loss(
    aliases=("normalized_mean_squared_error", "relative_squared_error"),
    summary="Normalised mean squared error: the share of the variance that is not explained",
    formula="Σe² / Σ(y − ȳ)², ȳ per output, both sums over all outputs; R² is 1 − nmse",
    params=(OUTPUTS,),
    use="Errors against those of the best constant: 0 is perfect, 1 is the mean. Depends on how "
    "much the targets vary; infinite where they do not.",
    traits=("smooth", "convex", "zero", "nonnegative"),
    reference="Wright 1921, Correlation and Causation (R²); Weigend & Gershenfeld 1994 (nmse)",
    example=Example({"prediction": [3, 5, 9], "target": [1, 6, 7]}, 27 / 62),
    single=True,
    spread=3,
    pivot="target",
    finish=_share_of_spread,
)
def nmse(xp: ArrayModule, prediction: Array, target: Array, *, outputs: str, pivot: Array) -> Sums:
    truth = columns(target)
    # the spread is of the target as it is: a shift would round targets far from the pivot
    shift = truth - pivot.reshape(-1)
    error = columns(prediction) - truth
    return Sums(xp.stack([xp.square(error), shift, xp.square(shift), truth], axis=-1))


_HISTORY = (
    Input("prediction"),
    Input("target"),
    Input("history", "(N, T)", help="the values before the target, oldest first"),
)
_SEASONALITY = Param("seasonality", 1, "the steps that the naive forecast looks back", least=1)
_FORECAST: Any = {
    "prediction": [[4.0, 5.0], [6.0, 7.0]],
    "target": [[1.0, 5.0], [3.0, 4.0]],
    "history": [[0.0, 2.0, 0.0], [1.0, 2.0, 3.0]],
}


def _over_naive(
    xp: ArrayModule, error: Array, history: Array, seasonality: int, square: bool
) -> Array:
    """Errors (n, …) over the mean error of the naive forecast of each sample's history."""
    steps = history.shape[1] - seasonality
    if steps < 1:
        raise InvalidInput(
            "history",
            None,
            f"has {history.shape[1]} steps, too few for seasonality={seasonality}",
            "the naive forecast needs more steps than it looks back",
        )
    change = columns(history[:, seasonality:] - history[:, :-seasonality])
    change = xp.square(change) if square else xp.abs(change)
    scale = change.sum(axis=1) / steps
    return ratio(xp, error, scale.reshape(-1, *[1] * (error.ndim - 1)))


@loss(
    aliases=("mean_absolute_scaled_error",),
    summary="Mean absolute scaled error",
    formula="|e| / q, q the mean of |y_t − y_(t−m)| over the sample's history",
    inputs=_HISTORY,
    params=(_SEASONALITY,),
    use="Forecasts of series on different scales: below 1 they beat the naive forecast's "
    "in-sample error. Infinite where a history never changes.",
    traits=("robust", "convex", "symmetric", "zero", "nonnegative"),
    reference="Hyndman & Koehler 2006, Another look at measures of forecast accuracy, "
    "Int. J. Forecasting 22",
    example=Example(_FORECAST, 1.875),
)
def mase(
    xp: ArrayModule, prediction: Array, target: Array, history: Array, *, seasonality: int
) -> Array:
    return _over_naive(xp, distance(xp, prediction, target), history, seasonality, square=False)


@loss(
    aliases=("root_mean_squared_scaled_error",),
    summary="Root mean squared scaled error",
    formula="√(mean e² / q²), q² the mean of (y_t − y_(t−m))² over the sample's history",
    inputs=_HISTORY,
    params=(_SEASONALITY,),
    use="As mase, where large errors cost most. Of several series it is the root of the pooled "
    "mean; the mean of the series' roots, as in M5, is reduction=samplemean.",
    traits=("convex", "symmetric", "zero", "nonnegative"),
    reference="Hyndman & Koehler 2006; Makridakis et al. 2022, M5, Int. J. Forecasting 38",
    example=Example(_FORECAST, 2.25),
    finish=square_root,
)
def rmsse(
    xp: ArrayModule, prediction: Array, target: Array, history: Array, *, seasonality: int
) -> Array:
    squares = xp.square(difference(xp, prediction, target))
    return _over_naive(xp, squares, history, seasonality, square=True)
