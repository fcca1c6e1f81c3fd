"""Losses that bend with the error: squares near 0, and less for outliers."""

from __future__ import annotations

from math import copysign, sqrt

from lossctl.losses.definition import Array, ArrayModule, Convention, Example, Param, loss
from lossctl.losses.numerics import difference, distance
from lossctl.losses.tasks.regression.parts import keras


@loss(
    summary="Huber's loss",
    formula="½e² where |e| ≤ δ, else δ(|e| − ½δ)",
    unit="target²",
    curve="error",
    params=(Param("delta", 1.0, "where the square turns into a line", above=0, unit="target"),),
    use="mse for small errors, mae for outliers; set delta to the error you call an outlier.",
    traits=("robust", "smooth", "convex", "symmetric", "zero", "nonnegative"),
    reference="Huber 1964, Robust Estimation of a Location Parameter, Ann. Math. Stat. 35",
    example=Example({"prediction": [0.6, 0.4], "target": [0, 1]}, 0.18),
    conventions={
        "torch": Convention(
            "torch.nn.functional.huber_loss",
            note="weights multiply, and the mean divides by the count",
            multiplies=True,
        ),
        "keras": keras("Huber"),
        "optax": Convention("optax.losses.huber_loss", note="per element; here its mean"),
    },
)
def huber(xp: ArrayModule, prediction: Array, target: Array, *, delta: float) -> Array:
    error = distance(xp, prediction, target)
    quadratic = xp.minimum(error, delta)
    found = -0.5 * quadratic
    found += error
    found *= quadratic
    return found


@loss(
    summary="Smooth L1",
    formula="½e²/β where |e| < β, else |e| − ½β; β = 0 is mae",
    unit="target",
    curve="error",
    params=(Param("beta", 1.0, "where the square turns into a line", least=0, unit="target"),),
    use="Huber's loss divided by its threshold, as used for box regression.",
    traits=("robust", "smooth", "convex", "symmetric", "zero", "nonnegative"),
    reference="Girshick 2015, Fast R-CNN; beta as in torch.nn.SmoothL1Loss",
    example=Example({"prediction": [3.0, 0.5], "target": [0, 1]}, 1.03125, {"beta": 2.0}),
    conventions={"torch": Convention("torch.nn.functional.smooth_l1_loss")},
)
def smooth_l1(xp: ArrayModule, prediction: Array, target: Array, *, beta: float) -> Array:
    error = distance(xp, prediction, target)
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
    traits=("robust", "smooth", "convex", "symmetric", "zero", "nonnegative"),
    reference="Saleh & Saleh 2022, Statistical Properties of the log-cosh Loss Function",
    example=Example({"prediction": [1.0, 3.0], "target": [0, 1]}, 0.8793917889204459),
    conventions={
        "keras": keras("LogCosh"),
        "optax": Convention("optax.losses.log_cosh", note="per element; here its mean"),
    },
)
def log_cosh(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    # cosh²e = 1 + sinh²e; beyond 20 the loss grows as |e| does, to all digits
    near = error = distance(xp, prediction, target)
    far = bool((error > 20).any())
    if far:
        near = xp.minimum(error, 20)
    found = xp.sinh(near)
    found *= found
    found = xp.log1p(found, out=found)
    found *= 0.5
    return found + (error - near) if far else found


@loss(
    summary="Charbonnier's loss",
    formula="√(e² + ε²)",
    unit="target",
    curve="error",
    params=(Param("epsilon", 1e-3, "the cost of no error", above=0, unit="target"),),
    use="mae, smooth at 0, for image restoration; at least ε, not 0.",
    traits=("robust", "smooth", "convex", "symmetric", "nonnegative"),
    reference="Charbonnier et al. 1994, Two deterministic half-quadratic regularization "
    "algorithms for computed imaging, ICIP",
    example=Example({"prediction": [4.0, 1.0], "target": [0, 1]}, 4.0, {"epsilon": 3.0}),
)
def charbonnier(xp: ArrayModule, prediction: Array, target: Array, *, epsilon: float) -> Array:
    return xp.hypot(difference(xp, prediction, target), epsilon)


@loss(
    summary="Tukey's biweight loss",
    formula="c²/6 (1 − (1 − (e/c)²)³) where |e| ≤ c, else c²/6",
    unit="target²",
    curve="error",
    params=(
        Param(
            "c",
            4.685,
            "the error from which on all cost the same",
            above=0,
            most=1e100,
            unit="target",
        ),
    ),
    use="Gross outliers do not count at all; 4.685 suits errors of standard deviation 1.",
    traits=("robust", "bounded", "smooth", "symmetric", "zero", "nonnegative"),
    reference="Beaton & Tukey 1974, The Fitting of Power Series, Technometrics 16",
    example=Example({"prediction": [1.0, 3.0], "target": [0, 0]}, 101 / 192, {"c": 2.0}),
)
def tukey_biweight(xp: ArrayModule, prediction: Array, target: Array, *, c: float) -> Array:
    square = xp.square(xp.minimum(distance(xp, prediction, target) / c, 1))
    return c * c / 6 * square * (3 - square * (3 - square))


@loss(
    summary="Barron's general robust loss",
    formula="|α − 2|/α ((s/|α − 2| + 1)^(α/2) − 1), s = (e/c)²; its limits ½s at α = 2, "
    "log(½s + 1) at 0, 1 − exp(−½s) at −∞",
    curve="error",
    params=(
        Param(
            "alpha",
            1.0,
            "the shape: 2 square, 1 Charbonnier, 0 Cauchy, −2 Geman–McClure, -inf Welsch",
        ),
        Param("scale", 1.0, "c: below it errors count by their square", above=0, unit="target"),
    ),
    use="One family from mse to losses that ignore outliers: the lower alpha, the less they count.",
    traits=("robust", "smooth", "symmetric", "zero", "nonnegative"),
    reference="Barron 2019, A General and Adaptive Robust Loss Function, CVPR",
    example=Example({"prediction": [3.0, -3.0], "target": [0, 0]}, 0.25, {"scale": 4.0}),
)
def barron(
    xp: ArrayModule, prediction: Array, target: Array, *, alpha: float, scale: float
) -> Array:
    error = xp.abs(prediction.astype("float64", copy=False) - target) / scale
    if alpha == 2:
        return 0.5 * xp.square(error)
    if abs(alpha) > 1e20:  # no float64 tells these from the limits
        side = copysign(1.0, alpha)
        return side * xp.expm1(side * 0.5 * xp.square(error))
    width = abs(alpha - 2)
    ratio = error / sqrt(width)
    # log(ratio² + 1), which beyond 1e8 is that of ratio² in every digit
    log = xp.where(ratio > 1e8, 2 * xp.log(ratio), xp.log1p(xp.square(ratio)))
    if abs(alpha) < 1e-20:
        return log
    return width / alpha * xp.expm1(0.5 * alpha * log)
