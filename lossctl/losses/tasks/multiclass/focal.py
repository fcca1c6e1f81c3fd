"""The focal loss: cross entropy that fades easy examples."""

from __future__ import annotations

from typing import Any

from lossctl.errors import SpecError
from lossctl.losses.classes import (
    CLIP,
    CLIP_ALWAYS,
    Limits,
    class_axis,
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
    sigmoid,
    softplus,
    weighed,
)
from lossctl.losses.tasks.multiclass.rows import (
    FAMILY,
    INPUTS,
    KERAS,
    KERAS_NOTE,
    UNIT,
    Numbers,
    Rows,
    arrange,
    expected,
)
from lossctl.spec import Value

_ACTIVATION = Param(
    "activation",
    "softmax",
    "softmax: the classes' probabilities sum to 1; sigmoid: each class has one of its own "
    "(one against the rest), and a binary focal loss",
    choices=("softmax", "sigmoid"),
)
_ONE_AGAINST_REST: dict[str, Value] = {
    "from_logits": True,
    "activation": "sigmoid",
    "class_mean": True,
}
_REST_NOTE = "takes logits; a sigmoid for each class, one against the rest, and the mean over them"


@loss(
    summary="Focal loss",
    formula="α_y (1 − p_y)^γ (−log p_y); soft targets: Σ_c y_c of it",
    unit=UNIT,
    inputs=INPUTS,
    params=(
        Param("gamma", 2.0, "how much easy examples are faded; 0 is cross_entropy", least=0),
        Param(
            "alpha",
            None,
            "a factor for each class, or one for all; part of the loss, not of the mean's "
            "weights; with activation=sigmoid a class weighs alpha where it is the target, "
            "1 − alpha where not",
            kind="numbers",
            least=0,
        ),
        _ACTIVATION,
        Param("class_mean", False, "divide by the number of classes, as if each were an element"),
        *(CLIP_ALWAYS if item is CLIP else item for item in FAMILY),
    ),
    use="Many easy examples or rare classes: the hard ones rule. Not calibrated: its best "
    "probabilities are flatter than the true ones.",
    traits=("imbalanced", "nonnegative"),
    reference="Lin et al. 2017, Focal Loss for Dense Object Detection, with a softmax",
    example=Example(
        {"prediction": [[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]], "target": [1, 2]}, 0.3110237095370973
    ),
    conventions={
        "keras": Convention(
            "keras.losses.CategoricalFocalCrossentropy",
            {"alpha": 0.25, **KERAS},
            note=f"alpha is one factor for all; {KERAS_NOTE}",
            multiplies=True,
            empty=0.0,
        ),
        "monai": Convention(
            "monai.losses.FocalLoss",
            _ONE_AGAINST_REST,
            note=f"{_REST_NOTE}; of its use_softmax, one alpha is here alpha=[1−α,α,α,…]",
        ),
        "smp": Convention(
            "segmentation_models_pytorch.losses.FocalLoss", _ONE_AGAINST_REST, note=_REST_NOTE
        ),
    },
)
def focal(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    gamma: float,
    alpha: Numbers,
    activation: str,
    class_mean: bool,
    from_logits: bool,
    clip: float | tuple[float, ...],
    clip_epsilon: bool,
    **shared: Any,
) -> Array | Elements:
    kind = "logits" if from_logits else "probabilities"
    bounds = limits(xp, clip, clip_epsilon, prediction.dtype)
    if activation == "sigmoid":
        return _one_against_rest(
            xp, prediction, target, kind, bounds, gamma, alpha, class_mean, **shared
        )
    factor = 1.0
    if class_mean:
        soft = target.ndim == prediction.ndim
        axis = class_axis(prediction.shape, target.shape, shared["axis"], soft)
        factor = 1 / prediction.shape[axis]
    return expected(
        xp,
        prediction,
        target,
        kind=kind,
        cost=lambda log_p: one_minus_exp(xp, log_p) ** gamma * (0 - log_p) * factor,
        alpha=alpha,
        bounds=bounds,
        clip_logits=True,
        wide=True,
        **shared,
    )


def _one_against_rest(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    kind: str,
    bounds: Limits,
    gamma: float,
    alpha: Numbers,
    class_mean: bool,
    *,
    label_smoothing: float,
    class_weights: Numbers,
    weigh: str,
    divide_by: str,
    ignore_index: int | None,
    axis: int | None,
    normalize: bool,
) -> Array | Elements:
    """The sum over classes, or the mean, of the binary focal loss of each class."""
    rows = arrange(xp, prediction, target, axis=axis, ignore_index=ignore_index)
    share = rows.shares(xp, label_smoothing)
    if kind == "logits":
        log_p, log_q = -softplus(xp, -rows.scores), -softplus(xp, rows.scores)
        p, q = sigmoid(xp, rows.scores), sigmoid(xp, -rows.scores)
    else:
        p, q = rows.scores, 1 - rows.scores
        log_p, log_q = xp.log(p), xp.log1p(-p)
    log_p, log_q = bounds.clip_log(xp, log_p), bounds.mirrored.clip_log(xp, log_q)
    entropy = 0 - (weighed(xp, share, log_p) + weighed(xp, 1 - share, log_q))
    terms = (share * q + (1 - share) * p) ** gamma * entropy
    if alpha is not None:
        terms = weighed(xp, _balance(xp, rows, share, alpha), terms)
    weighted = weigh == "terms" and class_weights is not None
    if weighted:
        assert class_weights is not None
        factors = rows.factors(xp, class_weights, "class_weights")
        terms = weighed(xp, rows.spread(factors), terms)
    values = ordered_sum(xp, terms, rows.along)
    values = rows.with_unknown(xp, values / rows.classes if class_mean else values)
    return rows.result(xp, values, class_weights, divide_by, weighted=weighted)


def _balance(xp: ArrayModule, rows: Rows, share: Array, alpha: float | tuple[float, ...]) -> Array:
    """alpha where a class is the target, 1 − alpha where not."""
    each = alpha if isinstance(alpha, tuple) else (alpha,) * rows.classes
    if max(each) > 1:
        raise SpecError(
            f"focal: with activation=sigmoid alpha must be ≤ 1, not {max(each):g}",
            "the other classes weigh 1 − alpha",
        )
    factors = rows.spread(rows.factors(xp, each, "alpha"))
    return factors * share + (1 - factors) * (1 - share)
