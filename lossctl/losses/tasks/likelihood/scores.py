"""Scores of forecasts: distributions, ensembles, quantiles and intervals."""

from __future__ import annotations

from itertools import pairwise
from math import pi, sqrt

from lossctl.errors import SpecError
from lossctl.losses.definition import (
    REQUIRED,
    TARGET,
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    InvalidInput,
    Param,
    loss,
)
from lossctl.losses.domains import NON_NEGATIVE, require
from lossctl.losses.numerics import difference, ratio
from lossctl.losses.tasks.likelihood.parts import (
    parameter,
    wide,
)


@loss(
    summary="CRPS of a Gaussian forecast",
    formula="σ (z (2Φ(z) − 1) + 2φ(z) − 1/√π), z = e/σ; |e| for σ = 0",
    unit="target",
    inputs=(
        Input("prediction", help="the mean"),
        TARGET,
        Input("std", domain=NON_NEGATIVE, constant=True, help="σ, the standard deviation"),
    ),
    use="Means and standard deviations judged together in the target's unit, with tails that "
    "cost no more than the absolute error. A forecast without spread has its absolute error.",
    traits=("proper", "uncertainty", "robust", "nonnegative"),
    reference="Gneiting, Raftery, Westveld & Goldman 2005, Calibrated probabilistic forecasting",
    example=Example({"prediction": [0.1], "target": [0.0], "std": [0.4]}, 0.10339992515976162),
    conventions={
        "scoringrules": Convention("scoringrules.crps_normal", note="NaN for σ = 0, here |e|")
    },
)
def crps_gaussian(xp: ArrayModule, prediction: Array, target: Array, std: Array | float) -> Array:
    from lossctl.backend import erf

    prediction, target = wide(prediction, target)
    std = parameter(xp, std, "std", NON_NEGATIVE)
    error = difference(xp, prediction, target)
    z = ratio(xp, error, std)
    peak = sqrt(2 / pi) * xp.exp(-0.5 * z * z) - 1 / sqrt(pi)
    return error * erf(xp, z / sqrt(2)) + std * peak


ESTIMATOR = Param(
    "estimator",
    "fair",
    "fair: over the pairs of different members, unbiased; nrg: over all pairs, as if the members "
    "were the whole forecast",
    choices=("fair", "nrg"),
)


def _pairs(members: int, estimator: str) -> int:
    """Between how many ordered pairs of members the spread is averaged."""
    if estimator == "nrg":
        return members * members
    if members < 2:
        raise InvalidInput(
            "prediction",
            None,
            "has one member a row, and estimator=fair compares pairs of members",
            "give more members, or estimator=nrg",
        )
    return members * (members - 1)


@loss(
    summary="CRPS of an ensemble",
    formula="mean |xᵢ − y| − ΣΣ |xᵢ − xⱼ| / 2M(M−1); nrg: / 2M²",
    unit="target",
    inputs=(Input("prediction", "(N, M)", help="the members"), Input("target", "(N,)")),
    params=(ESTIMATOR,),
    use="Forecasts given as samples, in the target's unit. Only fair compares ensembles of "
    "different sizes; nrg is higher the fewer the members.",
    traits=("proper", "uncertainty", "robust", "nonnegative"),
    reference="Gneiting & Raftery 2007, Strictly proper scoring rules; Ferro 2014, Fair scores for "
    "ensemble forecasts",
    example=Example({"prediction": [[0.0, 1.0, 2.0], [1.0, 1.0, 4.0]], "target": [0.5, 2.0]}, 0.25),
    conventions={
        "scoringrules": Convention(
            "scoringrules.crps_ensemble", {"estimator": "nrg"}, note="the biased estimator"
        ),
        "torchmetrics": Convention(
            "torchmetrics.functional.regression.continuous_ranked_probability_score",
            {"estimator": "nrg"},
            note="the biased estimator",
        ),
    },
)
def crps_ensemble(xp: ArrayModule, prediction: Array, target: Array, *, estimator: str) -> Array:
    members = prediction.shape[1]
    pairs = _pairs(members, estimator)
    prediction, target = wide(prediction, target)
    error = xp.sort(xp.ascontiguousarray(prediction), axis=-1) - target[:, None]
    # Of the sorted members each counts as often as there are others further out, and half for
    # itself where it is its own partner. No term is negative, so that nothing cancels.
    own = 0.5 if estimator == "nrg" else 0.0
    inner = xp.arange(members) + own
    often = xp.where(error > 0, inner[::-1], inner)
    return 2 * (xp.abs(error) * often).sum(axis=-1) / pairs


@loss(
    summary="Energy score",
    formula="mean ‖xᵢ − y‖ − ΣΣ ‖xᵢ − xⱼ‖ / 2M(M−1); nrg: / 2M²",
    unit="target",
    inputs=(
        Input("prediction", "(N, M, D)", help="the members, of D variables each"),
        Input("target", "(N, D)"),
    ),
    params=(ESTIMATOR,),
    use="The CRPS of several variables at once; it notices wrong correlations only weakly. Bring "
    "the variables to one scale first.",
    traits=("proper", "uncertainty", "robust", "nonnegative"),
    reference="Gneiting & Raftery 2007, Strictly proper scoring rules",
    example=Example(
        {
            "prediction": [[[3.0, 4.0], [0.0, 0.0]], [[6.0, 8.0], [6.0, 8.0]]],
            "target": [[0.0, 0.0], [0.0, 0.0]],
        },
        5.625,
        {"estimator": "nrg"},
    ),
    conventions={
        "scoringrules": Convention(
            "scoringrules.es_ensemble", {"estimator": "nrg"}, note="the biased estimator"
        )
    },
)
def energy_score(xp: ArrayModule, prediction: Array, target: Array, *, estimator: str) -> Array:
    members = prediction.shape[1]
    pairs = _pairs(members, estimator)
    prediction, target = wide(prediction, target)
    ensemble = xp.ascontiguousarray(xp.moveaxis(prediction, 1, 2))  # (N, D, M)
    errors = _lengths(xp, ensemble - target[:, :, None])
    # A pair's ‖xᵢ − y‖ + ‖xⱼ − y‖ − ‖xᵢ − xⱼ‖ is never negative, and both scores are sums of it.
    total = 0.0 if estimator == "fair" else errors.sum(axis=-1)
    for index in range(members - 1):
        rest = slice(index + 1, None)
        apart = _lengths(xp, ensemble[:, :, rest] - ensemble[:, :, index, None])
        detour = errors[:, rest] - apart + errors[:, index, None]
        total = total + xp.maximum(detour, 0).sum(axis=-1)
    return total / pairs


def _lengths(xp: ArrayModule, x: Array) -> Array:
    """The lengths of the vectors on the middle axis."""
    return xp.sqrt(xp.square(x).sum(axis=1))


CROSSING = Param(
    "crossing", False, "let quantiles cross, which makes the width of an interval negative"
)


@loss(
    summary="Interval score",
    formula="(u − l) + 2/α (l − y)₊ + 2/α (y − u)₊",
    unit="target",
    inputs=(Input("lower"), Input("upper"), TARGET),
    params=(
        Param(
            "alpha",
            REQUIRED,
            "the probability that the interval leaves out, 0.1 for one of 90 %",
            kind="number",
            above=0,
            below=1,
        ),
        CROSSING,
    ),
    use="Prediction intervals: narrow ones win, and a target outside costs 2/α of its distance.",
    traits=("convex", "proper", "uncertainty", "nonnegative"),
    reference="Winkler 1972; Gneiting & Raftery 2007, Strictly proper scoring rules",
    example=Example(
        {"lower": [0.0, 0.0], "upper": [0.5, 0.5], "target": [0.25, 0.75]}, 1.0, {"alpha": 0.5}
    ),
    conventions={
        "scoringrules": Convention(
            "scoringrules.interval_score", {"crossing": True}, note="lets the bounds cross"
        )
    },
)
def interval_score(
    xp: ArrayModule, lower: Array, upper: Array, target: Array, *, alpha: float, crossing: bool
) -> Array:
    lower, upper, target = wide(lower, upper, target)
    if not crossing:
        require(
            xp,
            ~(lower > upper),
            "upper",
            "has {value}, which is below lower",
            "exchange the two, or if the quantiles may cross, say so: crossing=true",
        )
    outside = xp.maximum(lower - target, 0) + xp.maximum(target - upper, 0)
    return (upper - lower) + 2 / alpha * outside


@loss(
    summary="Weighted interval score",
    formula="(½|y − m| + Σ ½αₖ ISₖ) / (K + ½), over K intervals and the median m",
    unit="target",
    inputs=(
        Input("prediction", "(N, Q)", help="2K + 1 quantiles, ascending, the median in the middle"),
        Input("target", "(N,)"),
    ),
    params=(
        Param(
            "alphas",
            REQUIRED,
            "what each interval leaves out, the outermost first: [0.1,0.5] for quantiles at 0.05, "
            "0.25, 0.5, 0.75, 0.95",
            kind="numbers",
            above=0,
            below=1,
        ),
        CROSSING,
    ),
    use="Forecasts given as quantiles, as epidemic forecasts are; with many of them it is the "
    "CRPS. It is twice the mean pinball loss of the quantiles.",
    traits=("convex", "proper", "uncertainty", "nonnegative"),
    reference="Bracher, Ray, Gneiting & Reich 2021, Evaluating epidemic forecasts in an interval "
    "format",
    example=Example(
        {
            "prediction": [[0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 3.0, 4.0]],
            "target": [2.5, 5.0],
        },
        1.31,
        {"alphas": (0.2, 0.5)},
    ),
    conventions={
        "scoringrules": Convention(
            "scoringrules.weighted_interval_score",
            {"crossing": True},
            note="lets the quantiles cross",
        )
    },
)
def weighted_interval_score(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    alphas: float | tuple[float, ...],
    crossing: bool,
) -> Array:
    levels = alphas if isinstance(alphas, tuple) else (alphas,)
    count = len(levels)
    if any(inner <= outer for outer, inner in pairwise(levels)):
        raise SpecError(
            "alphas must rise: the outermost interval, which comes first, leaves out least",
            "for example: alphas=[0.1,0.5]",
        )
    if prediction.shape[1] != 2 * count + 1:
        raise InvalidInput(
            "prediction",
            None,
            f"has {prediction.shape[1]} quantiles, but alphas has {count}",
            "K alphas go with 2K + 1 quantiles, the median in the middle",
        )
    prediction, target = wide(xp.ascontiguousarray(prediction), target)
    if not crossing:
        require(
            xp,
            ~(prediction[:, 1:] < prediction[:, :-1]),
            "prediction",
            "has quantiles that do not ascend",
            "sort the columns by their level, or if the quantiles may cross, say so: crossing=true",
        )
    lower, upper = prediction[:, :count], prediction[:, :count:-1]
    observed = target[:, None]
    outside = xp.maximum(lower - observed, 0) + xp.maximum(observed - upper, 0)
    scores = xp.asarray(levels) / 2 * (upper - lower) + outside  # ½α times the interval score
    median = 0.5 * xp.abs(target - prediction[:, count])
    return (median + scores.sum(axis=-1)) / (count + 0.5)
