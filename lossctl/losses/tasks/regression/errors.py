"""Errors as they are: squares, absolute values, order statistics, one-sided costs."""

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
from lossctl.losses.numerics import difference, distance
from lossctl.losses.shared import room
from lossctl.losses.tasks.regression.parts import (
    OUTPUTS,
    TWO_OUTPUTS,
    by_output,
    columns,
    keras,
    square_root,
)


@loss(
    name="rmse",
    aliases=("root_mean_squared_error",),
    summary="Root mean squared error",
    formula="√(mean e²), over several outputs pooled",
    unit="target",
    params=(OUTPUTS,),
    use="As mse, in the target's unit; a mean of roots is not the root of the mean.",
    traits=("symmetric", "zero", "nonnegative"),
    reference="The root of the second moment of the error",
    example=Example({"prediction": [3, 5, 9], "target": [1, 6, 7]}, 3**0.5),
    finish=square_root,
    conventions={
        "sklearn": Convention(
            "sklearn.metrics.root_mean_squared_error",
            {"outputs": "mean"},
            note="the mean of the outputs' roots",
        ),
    },
    contrast=TWO_OUTPUTS,
)
@loss(
    name="mse",
    aliases=("l2", "mean_squared_error"),
    summary="Mean squared error",
    formula="e²",
    unit="target²",
    curve="error",
    use="The default where large errors cost most; one outlier can rule it.",
    traits=("smooth", "convex", "symmetric", "zero", "nonnegative"),
    reference="Gauss 1809, Theoria motus; the mean of it is the second moment of the error",
    example=Example({"prediction": [1, 1], "target": [0, 1]}, 0.5),
    conventions={
        "torch": Convention("torch.nn.functional.mse_loss"),
        "keras": keras("MeanSquaredError"),
        "sklearn": Convention("sklearn.metrics.mean_squared_error"),
        "optax": Convention("optax.losses.squared_error", note="its l2_loss is half of it"),
    },
)
def squared_error(
    xp: ArrayModule, prediction: Array, target: Array, *, outputs: str = "pooled"
) -> Array | Sums:
    error = difference(xp, prediction, target)
    return by_output(xp.square(error, out=room(error)), outputs)


@loss(
    name="mae",
    aliases=("l1", "mean_absolute_error"),
    summary="Mean absolute error",
    formula="|e|",
    unit="target",
    curve="error",
    use="Robust to outliers in the target; its best constant prediction is the median.",
    traits=("robust", "convex", "symmetric", "zero", "nonnegative"),
    reference="Laplace 1774; Boscovich 1757",
    example=Example({"prediction": [1, 1], "target": [0, 0]}, 1.0),
    conventions={
        "torch": Convention("torch.nn.functional.l1_loss"),
        "keras": keras("MeanAbsoluteError"),
        "sklearn": Convention("sklearn.metrics.mean_absolute_error"),
    },
)
def absolute_error(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return distance(xp, prediction, target)


@loss(
    aliases=("quantile",),
    summary="Pinball (quantile) loss",
    formula="max(α(y − ŷ), (α − 1)(y − ŷ)); a list of alpha for prediction (N, Q), target (N,)",
    unit="target",
    curve="error",
    inputs=(Input("prediction", "(N, …) or (N, Q)"), Input("target", "(N, …)")),
    params=(Param("alpha", 0.5, "the quantile's level", kind="numbers", above=0, below=1),),
    use="To score predicted quantiles; alpha 0.5 is half of mae.",
    traits=("robust", "convex", "asymmetric", "proper", "zero", "nonnegative"),
    reference="Koenker & Bassett 1978, Regression Quantiles, Econometrica 46",
    example=Example({"prediction": [1.0, 4.0], "target": [3, 3]}, 0.95, {"alpha": 0.9}),
    conventions={
        "sklearn": Convention("sklearn.metrics.mean_pinball_loss"),
        "scoringrules": Convention(
            "scoringrules.quantile_score", note="per element; here its mean"
        ),
    },
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
    error = difference(xp, prediction, target)
    over = (1 - level) * error
    return xp.maximum(over, -level * error, out=over)


@loss(
    summary="Expectile (asymmetric squared) loss",
    formula="|α − 1[y < ŷ]| e²",
    unit="target²",
    curve="error",
    params=(Param("alpha", 0.5, "the expectile's level", above=0, below=1),),
    use="As pinball, for expectiles: errors to one side cost more; alpha 0.5 is half of mse.",
    traits=("smooth", "convex", "asymmetric", "proper", "zero", "nonnegative"),
    reference="Newey & Powell 1987, Asymmetric Least Squares Estimation and Testing, "
    "Econometrica 55",
    example=Example({"prediction": [1.0, 4.0], "target": [3, 3]}, 1.85, {"alpha": 0.9}),
)
def expectile(xp: ArrayModule, prediction: Array, target: Array, *, alpha: float) -> Array:
    error = difference(xp, prediction, target)
    square = xp.square(error)
    return xp.where(error > 0, (1 - alpha) * square, alpha * square)


def _beyond(xp: ArrayModule, prediction: Array, target: Array, epsilon: float) -> Array:
    """max(0, |e| − ε), with the digits that e loses to rounding: next to ε they are all."""
    x, y = prediction.astype("float64", copy=False), target.astype("float64", copy=False)
    error = x - y
    back = error - x
    lost = (x - (error - back)) - (y + back)  # error + lost is x − y exactly
    lost = xp.where(xp.isfinite(error), xp.copysign(1.0, error) * lost, 0)
    return xp.maximum((xp.abs(error) - epsilon) + lost, 0)


_EPSILON = Param("epsilon", 0.1, "the error that costs nothing", least=0, unit="target")


@loss(
    summary="Epsilon-insensitive loss",
    formula="max(0, |e| − ε)",
    unit="target",
    curve="error",
    params=(_EPSILON,),
    use="Errors within a tolerance are free, as in support vector regression.",
    traits=("robust", "convex", "symmetric", "zero", "nonnegative"),
    reference="Vapnik 1995, The Nature of Statistical Learning Theory",
    example=Example({"prediction": [1.0, 4.0], "target": [3, 3]}, 1.0, {"epsilon": 0.5}),
)
def epsilon_insensitive(
    xp: ArrayModule, prediction: Array, target: Array, *, epsilon: float
) -> Array:
    return _beyond(xp, prediction, target, epsilon)


@loss(
    summary="Squared epsilon-insensitive loss",
    formula="max(0, |e| − ε)²",
    unit="target²",
    curve="error",
    params=(_EPSILON,),
    use="As epsilon_insensitive, where large errors cost most.",
    traits=("smooth", "convex", "symmetric", "zero", "nonnegative"),
    reference="Vapnik 1995, The Nature of Statistical Learning Theory",
    example=Example({"prediction": [1.0, 4.0], "target": [3, 3]}, 1.25, {"epsilon": 0.5}),
)
def squared_epsilon_insensitive(
    xp: ArrayModule, prediction: Array, target: Array, *, epsilon: float
) -> Array:
    return xp.square(_beyond(xp, prediction, target, epsilon))


@loss(
    aliases=("medae",),
    summary="Median absolute error",
    formula="median |e|, over all elements; of an even number the mean of the middle two",
    unit="target",
    params=(OUTPUTS,),
    use="The typical error, whatever the worst half does.",
    traits=("robust", "symmetric", "zero", "nonnegative"),
    reference="Gauss 1816, Bestimmung der Genauigkeit der Beobachtungen",
    example=Example({"prediction": [1, 2, 9], "target": [0, 0, 0]}, 2.0),
    whole=True,
    single=True,
    memory="the absolute errors and a sorted copy",
    conventions={
        "sklearn": Convention(
            "sklearn.metrics.median_absolute_error",
            {"outputs": "mean"},
            note="the mean of the outputs' medians",
        ),
    },
    contrast={"prediction": [[1.0, 4.0], [9.0, 5.0], [2.0, 7.0]], "target": [[0.0, 0.0]] * 3},
)
def median_absolute_error(
    xp: ArrayModule, prediction: Array, target: Array, *, outputs: str
) -> Array:
    error = columns(distance(xp, prediction, target))
    return xp.median(error) if outputs == "pooled" else xp.median(error, axis=0).mean()


@loss(
    summary="Maximum absolute error",
    formula="max |e|, over all elements",
    unit="target",
    use="The worst case; one element decides it.",
    traits=("convex", "symmetric", "zero", "nonnegative"),
    reference="Chebyshev 1854: the uniform norm of the error",
    example=Example({"prediction": [1, 2, 9], "target": [0, 0, 0]}, 9.0),
    whole=True,
    single=True,
    memory="the absolute errors",
    conventions={"sklearn": Convention("sklearn.metrics.max_error", note="of one output only")},
)
def max_error(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return distance(xp, prediction, target).max()
