"""Regression: numbers against numbers."""

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
    loss,
)
from lossctl.losses.domains import ABOVE_MINUS_ONE
from lossctl.losses.numerics import log_ratio, ratio


def square_root(xp: ArrayModule, sums: Array, weights: Array, **_: Any) -> Array:
    """The root of the mean."""
    return xp.sqrt(sums / weights)


@loss(
    name="rmse",
    aliases=("root_mean_squared_error",),
    summary="Root mean squared error",
    formula="√(mean e²), over several outputs pooled",
    unit="target",
    use="As mse, in the target's unit; a mean of roots is not the root of the mean.",
    traits=("symmetric",),
    reference="The root of the second moment of the error",
    example=Example({"prediction": [3, 5, 9], "target": [1, 6, 7]}, 3**0.5),
    finish=square_root,
)
@loss(
    name="mse",
    aliases=("l2", "mean_squared_error"),
    summary="Mean squared error",
    formula="e²",
    unit="target²",
    curve="error",
    use="The default where large errors cost most; one outlier can rule it.",
    traits=("smooth", "convex", "symmetric"),
    reference="Gauss 1809, Theoria motus; the mean of it is the second moment of the error",
    example=Example({"prediction": [1, 1], "target": [0, 1]}, 0.5),
    conventions={
        "torch": Convention("torch.nn.functional.mse_loss"),
        "keras": Convention("keras.losses.MeanSquaredError"),
        "sklearn": Convention("sklearn.metrics.mean_squared_error"),
    },
)
def squared_error(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return xp.square(prediction - target)


@loss(
    name="mae",
    aliases=("l1", "mean_absolute_error"),
    summary="Mean absolute error",
    formula="|e|",
    unit="target",
    curve="error",
    use="Robust to outliers in the target; its best constant prediction is the median.",
    traits=("robust", "convex", "symmetric"),
    reference="Laplace 1774; Boscovich 1757",
    example=Example({"prediction": [1, 1], "target": [0, 0]}, 1.0),
    conventions={
        "torch": Convention("torch.nn.functional.l1_loss"),
        "keras": Convention("keras.losses.MeanAbsoluteError"),
        "sklearn": Convention("sklearn.metrics.mean_absolute_error"),
    },
)
def absolute_error(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return xp.abs(prediction - target)


@loss(
    summary="Huber's loss",
    formula="½e² where |e| ≤ δ, else δ(|e| − ½δ)",
    unit="target²",
    curve="error",
    params=(Param("delta", 1.0, "where the square turns into a line", above=0, unit="target"),),
    use="mse for small errors, mae for outliers; set delta to the error you call an outlier.",
    traits=("robust", "smooth", "convex", "symmetric"),
    reference="Huber 1964, Robust Estimation of a Location Parameter, Ann. Math. Stat. 35",
    example=Example({"prediction": [0.6, 0.4], "target": [0, 1]}, 0.18),
    conventions={
        "torch": Convention("torch.nn.functional.huber_loss"),
        "keras": Convention("keras.losses.Huber"),
        "optax": Convention("optax.losses.huber_loss"),
    },
)
def huber(xp: ArrayModule, prediction: Array, target: Array, *, delta: float) -> Array:
    error = xp.abs(prediction - target)
    quadratic = xp.minimum(error, delta)
    return quadratic * (error - 0.5 * quadratic)


@loss(
    summary="Smooth L1",
    formula="½e²/β where |e| < β, else |e| − ½β; β = 0 is mae",
    unit="target",
    curve="error",
    params=(Param("beta", 1.0, "where the square turns into a line", least=0, unit="target"),),
    use="Huber's loss divided by its threshold, as used for box regression.",
    traits=("robust", "smooth", "convex", "symmetric"),
    reference="Girshick 2015, Fast R-CNN; beta as in torch.nn.SmoothL1Loss",
    example=Example({"prediction": [3.0, 0.5], "target": [0, 1]}, 1.03125, {"beta": 2.0}),
    conventions={"torch": Convention("torch.nn.functional.smooth_l1_loss")},
)
def smooth_l1(xp: ArrayModule, prediction: Array, target: Array, *, beta: float) -> Array:
    error = xp.abs(prediction - target)
    if beta == 0:
        return error
    quadratic = xp.minimum(error, beta)
    return quadratic / beta * (error - 0.5 * quadratic)


@loss(
    summary="Log-cosh",
    formula="log cosh e",
    unit="target",
    curve="error",
    use="Like Huber's with delta 1, and smooth everywhere; tied to the target's scale.",
    traits=("robust", "smooth", "convex", "symmetric"),
    reference="Saleh & Saleh 2022, Statistical Properties of the log-cosh Loss Function",
    example=Example({"prediction": [1.0, 3.0], "target": [0, 1]}, 0.8793917889204459),
    conventions={
        "keras": Convention("keras.losses.LogCosh"),
        "optax": Convention("optax.losses.log_cosh"),
    },
)
def log_cosh(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    # log cosh e = |e| + log1p(exp(−2|e|)) − log 2 loses all digits near 0; there
    # cosh e − 1 = 2 sinh²(e/2) is exact.
    error = xp.abs(prediction - target)
    near = xp.log1p(2 * xp.square(xp.sinh(0.5 * xp.minimum(error, 1))))
    far = error + (xp.log1p(xp.exp(-2 * error)) - 0.6931471805599453)
    return xp.where(error < 1, near, far)


@loss(
    aliases=("quantile",),
    summary="Pinball (quantile) loss",
    formula="max(α(y − ŷ), (α − 1)(y − ŷ)); a list of alpha for prediction (N, Q), target (N,)",
    unit="target",
    curve="error",
    inputs=(Input("prediction", "(N, …) or (N, Q)"), Input("target", "(N, …)")),
    params=(Param("alpha", 0.5, "the quantile's level", kind="numbers", above=0, below=1),),
    use="To score predicted quantiles; alpha 0.5 is half of mae.",
    traits=("robust", "convex", "asymmetric", "proper"),
    reference="Koenker & Bassett 1978, Regression Quantiles, Econometrica 46",
    example=Example({"prediction": [1.0, 4.0], "target": [3, 3]}, 0.95, {"alpha": 0.9}),
    conventions={"sklearn": Convention("sklearn.metrics.mean_pinball_loss")},
)
def pinball(
    xp: ArrayModule, prediction: Array, target: Array, *, alpha: float | tuple[float, ...]
) -> Array:
    level: Any = alpha
    if isinstance(alpha, tuple):
        if prediction.shape != (*target.shape, len(alpha)) or target.ndim != 1:
            raise InvalidInput(
                "prediction", None, f"must be (N, {len(alpha)}): one column for each alpha"
            )
        level, target = xp.asarray(alpha, dtype=prediction.dtype), target[:, None]
    elif prediction.shape != target.shape:
        raise InvalidInput(
            "prediction",
            None,
            f"has {prediction.shape[-1]} columns for one target",
            f"give as many levels: pinball:alpha=[…], {prediction.shape[-1]} of them",
        )
    error = target - prediction
    return xp.maximum(level * error, (level - 1) * error)


@loss(
    aliases=("mean_absolute_percentage_error",),
    summary="Mean absolute percentage error, as a fraction",
    formula="|e| / |y|; infinite where y = 0 and ŷ ≠ 0",
    use="Relative errors of positive targets; rewards predicting too low, breaks near 0.",
    traits=("relative", "asymmetric"),
    reference="Makridakis 1993, Accuracy measures, Int. J. Forecasting 9",
    example=Example({"prediction": [3.0, 5.0], "target": [2, 4]}, 0.375),
)
def mape(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return ratio(xp, xp.abs(prediction - target), xp.abs(target))


@loss(
    aliases=("symmetric_mean_absolute_percentage_error",),
    summary="Symmetric mean absolute percentage error, from 0 to 2",
    formula="2|e| / (|y| + |ŷ|); 0 where both are 0",
    use="Relative errors where targets may be 0; still kinder to predictions that are high.",
    traits=("relative", "bounded", "symmetric"),
    reference="Makridakis 1993, Accuracy measures, Int. J. Forecasting 9",
    example=Example({"prediction": [3.0, 5.0], "target": [2, 4]}, (0.4 + 2 / 9) / 2),
)
def smape(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return ratio(xp, 2 * xp.abs(prediction - target), xp.abs(target) + xp.abs(prediction))


_LOG_INPUTS = (
    Input("prediction", domain=ABOVE_MINUS_ONE),
    Input("target", domain=ABOVE_MINUS_ONE),
)


@loss(
    name="rmsle",
    aliases=("root_mean_squared_logarithmic_error",),
    summary="Root mean squared logarithmic error",
    formula="√(mean (log1p ŷ − log1p y)²)",
    inputs=_LOG_INPUTS,
    use="As msle, on the scale of a log ratio.",
    traits=("relative",),
    reference="scikit-learn's root_mean_squared_log_error, pooled over outputs",
    example=Example({"prediction": [1.0, 3.0], "target": [0, 1]}, 0.6931471805599453),
    finish=square_root,
)
@loss(
    name="msle",
    aliases=("mean_squared_logarithmic_error",),
    summary="Mean squared logarithmic error",
    formula="(log1p ŷ − log1p y)²",
    inputs=_LOG_INPUTS,
    use="Targets over orders of magnitude, where ratios matter; lenient on predicting too high.",
    traits=("relative",),
    reference="scikit-learn's mean_squared_log_error, domain above −1",
    example=Example({"prediction": [1.0, 3.0], "target": [0, 1]}, 0.4804530139182014),
    conventions={"sklearn": Convention("sklearn.metrics.mean_squared_log_error")},
)
def squared_log_error(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    logs = xp.log1p(prediction), xp.log1p(target)
    return xp.square(log_ratio(xp, 1 + prediction, 1 + target, *logs, prediction - target))
