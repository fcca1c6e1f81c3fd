"""Variations of cross entropy, most of them for labels of which some are wrong."""

from __future__ import annotations

from typing import Any

from lossctl.losses.classes import (
    AXIS,
    CLASS_WEIGHTS,
    CLIP,
    FROM_LOGITS,
    IGNORE_INDEX,
    LABEL_SMOOTHING,
    limits,
)
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    Param,
    loss,
)
from lossctl.losses.numerics import (
    one_minus_exp,
    ordered_sum,
    weighed,
)
from lossctl.losses.tasks.multiclass.rows import (
    INPUTS,
    UNIT,
    Chances,
    Numbers,
    arrange,
    expected,
)

_ROBUST = (FROM_LOGITS, LABEL_SMOOTHING, CLASS_WEIGHTS, IGNORE_INDEX, AXIS)
_EVEN = {"prediction": [[0.1, 0.8, 0.1], [0.25, 0.25, 0.5]], "target": [1, 2]}


@loss(
    summary="PolyLoss: cross entropy with a heavier first term",
    formula="−log p_y + ε(1 − p_y); soft targets: Σ_c y_c of it",
    unit=UNIT,
    inputs=INPUTS,
    params=(
        Param("epsilon", 1.0, "added to the first coefficient of the series in 1 − p", least=-1),
        *_ROBUST,
        CLIP,
    ),
    use="A cheap variation of cross_entropy; ε above 0 pushes confident predictions further, "
    "below 0 (rare classes) less.",
    traits=("nonnegative",),
    reference="Leng et al. 2022, PolyLoss: A Polynomial Expansion Perspective of Classification "
    "Loss Functions",
    example=Example(_EVEN, 0.8081453659370776),
    conventions={
        "optax": Convention(
            "optax.losses.poly_loss_cross_entropy",
            {"from_logits": True, "epsilon": 2.0},
            note="takes logits; ε is 2; a value for each row, here their mean",
        )
    },
)
def poly1(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    epsilon: float,
    from_logits: bool,
    clip: float | tuple[float, ...],
    **shared: Any,
) -> Array | Elements:
    return expected(
        xp,
        prediction,
        target,
        kind="logits" if from_logits else "probabilities",
        cost=lambda log_p: epsilon * one_minus_exp(xp, log_p) - log_p,
        bounds=limits(xp, clip, False, prediction.dtype),
        wide=True,
        **shared,
    )


@loss(
    aliases=("gce",),
    summary="Generalized cross entropy",
    formula="(1 − p_y^q)/q; soft targets: Σ_c y_c of it",
    inputs=INPUTS,
    params=(
        Param(
            "q", 0.7, "towards 0 cross_entropy, at 1 the absolute error 1 − p_y", above=0, most=1
        ),
        *_ROBUST,
    ),
    use="Labels of which some are wrong: no row costs more than 1/q.",
    traits=("bounded", "noisy", "nonnegative", "robust"),
    reference="Zhang & Sabuncu 2018, Generalized Cross Entropy Loss for Training Deep Neural "
    "Networks with Noisy Labels",
    example=Example(
        {"prediction": [[0.25, 0.5, 0.25], [0.2, 0.16, 0.64]], "target": [0, 2]}, 0.7, {"q": 0.5}
    ),
    conventions={
        "keras": Convention(
            "keras.losses.CategoricalGeneralizedCrossEntropy",
            {"q": 0.5},
            note="q is 0.5; in float32",
            multiplies=True,
            empty=0.0,
        )
    },
)
def generalized_cross_entropy(
    xp: ArrayModule, prediction: Array, target: Array, *, q: float, from_logits: bool, **shared: Any
) -> Array | Elements:
    return expected(
        xp,
        prediction,
        target,
        kind="logits" if from_logits else "probabilities",
        cost=lambda log_p: one_minus_exp(xp, q * log_p) / q,
        wide=True,
        **shared,
    )


@loss(
    aliases=("sce",),
    summary="Symmetric cross entropy",
    formula="α(−Σ_c y_c log p_c) + β(−Σ_c p_c log y_c), where log y_c is at least A = log_zero",
    unit=UNIT,
    inputs=INPUTS,
    params=(
        Param("alpha", 0.1, "weight of the cross entropy", least=0),
        Param("beta", 1.0, "weight of the reverse cross entropy", least=0),
        Param("log_zero", -4.0, "the least that the logarithm of a target may be", below=0),
        *_ROBUST,
        CLIP,
    ),
    use="Labels of which some are wrong: the reverse term bounds what they cost, the cross "
    "entropy keeps learning fast.",
    traits=("noisy", "nonnegative"),
    reference="Wang et al. 2019, Symmetric Cross Entropy for Robust Learning with Noisy Labels",
    example=Example(_EVEN, 1.4458145365937078),
)
def symmetric_cross_entropy(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    alpha: float,
    beta: float,
    log_zero: float,
    from_logits: bool,
    label_smoothing: float,
    class_weights: Numbers,
    ignore_index: int | None,
    axis: int | None,
    clip: float | tuple[float, ...],
) -> Array | Elements:
    rows = arrange(xp, prediction, target, axis=axis, ignore_index=ignore_index)
    kind = "logits" if from_logits else "probabilities"
    bounds = limits(xp, clip, False, prediction.dtype)
    chances, unknown = Chances(rows.scores, rows.along, kind, bounds).checked(xp, rows.keep)
    log_p = chances.log(xp)
    share = rows.shares(xp, label_smoothing)
    forward = weighed(xp, share, 0 - log_p)
    reverse = xp.exp(log_p) * (0 - xp.maximum(xp.log(share), log_zero))
    values = ordered_sum(xp, weighed(xp, alpha, forward) + weighed(xp, beta, reverse), rows.along)
    return rows.result(xp, rows.with_unknown(xp, values, unknown), class_weights)
