"""Binary classification: two classes, and one number for each."""

from __future__ import annotations

from math import exp

from lossctl.losses.classes import (
    AXIS,
    CLIP,
    CLIP_ALWAYS,
    CLIP_EPSILON,
    FROM_LOGITS,
    IGNORE_INDEX,
    KERAS_CLIP,
    Limits,
    class_ids,
    classes_last,
    limits,
    one_hot,
    with_unknown,
)
from lossctl.losses.definition import (
    REQUIRED,
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    Input,
    InvalidInput,
    Param,
    loss,
)
from lossctl.losses.domains import MARGIN_LABEL, PROBABILITY, UNIT
from lossctl.losses.numerics import ordered_sum, weighed

_INPUTS = (
    Input("prediction", domain=PROBABILITY, unless="from_logits"),
    Input("target", domain=UNIT, labels=True, help="0 and 1, or probabilities"),
)
_SMOOTHING = Param(
    "label_smoothing",
    0.0,
    "the share ε of the target that becomes ½: (1 − ε)y + ε/2",
    least=0,
    most=1,
)
_CLIPS = (CLIP, CLIP_EPSILON)
_TORCH_CLIP = exp(-100)  # torch lets no logarithm fall below −100


@loss(
    aliases=("binary_crossentropy", "log_loss"),
    summary="Binary cross entropy (log loss)",
    formula="−[w y log p + (1 − y) log(1 − p)], w = pos_weight",
    unit="nats",
    curve="probability",
    inputs=_INPUTS,
    params=(
        FROM_LOGITS,
        _SMOOTHING,
        Param(
            "pos_weight",
            1.0,
            "weight of the positive term; or a list, one for each last axis",
            kind="numbers",
            least=0,
        ),
        *_CLIPS,
        Param(
            "epsilon",
            0.0,
            "added to probabilities (after clipping, not to logits) inside the logarithms",
            least=0,
        ),
    ),
    use="The likelihood of yes/no outcomes, for probabilities that must be right; one certain "
    "and wrong prediction makes it infinite.",
    traits=("convex", "proper", "calibration"),
    reference="Good 1952, Rational Decisions, J. R. Stat. Soc. B 14",
    example=Example({"prediction": [0.4, 0.6], "target": [0, 1]}, 0.5108256237659907),
    conventions={
        "torch": Convention(
            "torch.nn.functional.binary_cross_entropy",
            {"clip": _TORCH_CLIP},
            note="no logarithm falls below −100",
        ),
        "keras": Convention(
            "keras.losses.BinaryCrossentropy",
            {"clip": KERAS_CLIP},
            note="probabilities are clipped at 1e-7 in float32",
        ),
        "keras2": Convention(
            "tf_keras.losses.BinaryCrossentropy",
            {"clip": 1e-7, "epsilon": 1e-7},
            note="as Keras before 3: clipped at 1e-7, then 1e-7 is added inside the logarithms",
        ),
        "sklearn": Convention(
            "sklearn.metrics.log_loss",
            {"clip_epsilon": True},
            note="probabilities are clipped at the machine epsilon of their type",
        ),
        "optax": Convention(
            "optax.losses.sigmoid_binary_cross_entropy",
            {"from_logits": True},
            note="takes logits",
        ),
    },
)
def bce(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    from_logits: bool,
    label_smoothing: float,
    pos_weight: float | tuple[float, ...],
    clip: float | tuple[float, ...],
    clip_epsilon: bool,
    epsilon: float,
) -> Array:
    target = _smooth(target.astype(prediction.dtype, copy=False), label_smoothing)
    bounds = limits(xp, clip, clip_epsilon, prediction.dtype)
    if from_logits:
        log_p, log_q = _log_sigmoids(xp, prediction)
    elif epsilon:
        p = xp.minimum(xp.maximum(prediction, bounds.low), 1 - bounds.high)
        log_p, log_q = xp.log(p + epsilon), xp.log(1 - p + epsilon)
    else:
        log_p, log_q = _logs(xp, prediction, bounds)
    weight = _for_last_axis(xp, pos_weight, prediction)
    return _cross_entropy(xp, target, log_p, log_q, weight, 1.0)


@loss(
    aliases=("wce",),
    summary="Binary cross entropy with a weight on the positive class",
    formula="−[β y log p + (1 − y) log(1 − p)]",
    unit="nats",
    curve="probability",
    inputs=_INPUTS,
    params=(
        Param("beta", REQUIRED, "weight of the positive term", kind="number", least=0),
        FROM_LOGITS,
        *_CLIPS,
    ),
    use="Rare positives: beta above 1 buys recall with false alarms. It is divided by the "
    "number of elements, not by the weights, and its best p is no longer the probability.",
    traits=("convex", "imbalanced"),
    reference="Xie & Tu 2015, Holistically-Nested Edge Detection, with a free weight",
    example=Example({"prediction": [0.4, 0.6], "target": [0, 1]}, 0.766238435648986, {"beta": 2.0}),
)
def weighted_bce(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    beta: float,
    from_logits: bool,
    clip: float | tuple[float, ...],
    clip_epsilon: bool,
) -> Array:
    target = target.astype(prediction.dtype, copy=False)
    bounds = limits(xp, clip, clip_epsilon, prediction.dtype)
    logs = _log_sigmoids(xp, prediction) if from_logits else _logs(xp, prediction, bounds)
    return _cross_entropy(xp, target, *logs, beta, 1.0)


@loss(
    summary="Binary cross entropy with the two classes balanced",
    formula="−[β y log p + (1 − β)(1 − y) log(1 − p)]",
    unit="nats",
    curve="probability",
    inputs=_INPUTS,
    params=(
        Param(
            "beta",
            REQUIRED,
            "weight of the positive term: the share of negatives balances",
            kind="number",
            least=0,
            most=1,
        ),
        FROM_LOGITS,
        *_CLIPS,
    ),
    use="As weighted_bce, with weights that sum to 1; at beta ½ it is half of bce.",
    traits=("convex", "imbalanced"),
    reference="Xie & Tu 2015, Holistically-Nested Edge Detection",
    example=Example(
        {"prediction": [0.4, 0.6], "target": [0, 1]}, 0.25541281188299536, {"beta": 0.75}
    ),
)
def balanced_bce(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    beta: float,
    from_logits: bool,
    clip: float | tuple[float, ...],
    clip_epsilon: bool,
) -> Array:
    target = target.astype(prediction.dtype, copy=False)
    bounds = limits(xp, clip, clip_epsilon, prediction.dtype)
    logs = _log_sigmoids(xp, prediction) if from_logits else _logs(xp, prediction, bounds)
    return _cross_entropy(xp, target, *logs, beta, 1 - beta)


@loss(
    aliases=("sigmoid_focal",),
    summary="Binary focal loss",
    formula="α_t (1 − p_t)^γ × bce; α_t is α where y = 1, 1 − α where y = 0, or 1",
    unit="nats",
    curve="probability",
    inputs=_INPUTS,
    params=(
        Param("gamma", 2.0, "how much easy examples are faded; 0 is bce", least=0),
        Param(
            "alpha",
            None,
            "weight of class 1, that of class 0 being 1 − alpha",
            kind="number",
            least=0,
            most=1,
        ),
        FROM_LOGITS,
        _SMOOTHING,
        CLIP_ALWAYS,
        CLIP_EPSILON,
    ),
    use="Many easy negatives, as in detection: the hard examples rule. Not calibrated: its "
    "best p is drawn towards ½.",
    traits=("imbalanced",),
    reference="Lin et al. 2017, Focal Loss for Dense Object Detection",
    example=Example({"prediction": [0.4, 0.7], "target": [0, 1]}, 0.056916422378522215),
    conventions={
        "keras": Convention(
            "keras.losses.BinaryFocalCrossentropy",
            {"clip": KERAS_CLIP},
            note="probabilities are clipped at 1e-7 in float32",
        ),
        "optax": Convention(
            "optax.losses.sigmoid_focal_loss", {"from_logits": True}, note="takes logits"
        ),
    },
)
def binary_focal(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    gamma: float,
    alpha: float | None,
    from_logits: bool,
    label_smoothing: float,
    clip: float | tuple[float, ...],
    clip_epsilon: bool,
) -> Array:
    wide = prediction.astype("float64", copy=False)  # for the power multiplies the error
    target = _smooth(target.astype("float64", copy=False), label_smoothing)
    bounds = limits(xp, clip, clip_epsilon, prediction.dtype)
    if from_logits:
        log_p, log_q = _clipped(xp, *_log_sigmoids(xp, wide), bounds)
        # each side from its own logarithm: 1 − p would lose the digits of a p next to 1
        p, q = xp.exp(log_p), xp.exp(log_q)
    else:
        log_p, log_q = _logs(xp, wide, bounds)
        p, q = wide, 1 - wide
    wrong = target * q + (1 - target) * p
    values = wrong**gamma * _cross_entropy(xp, target, log_p, log_q, 1.0, 1.0)
    if alpha is None:
        return values
    return weighed(xp, alpha * target + (1 - alpha) * (1 - target), values)


def _smooth(target: Array, smoothing: float) -> Array:
    """Draw a target in [0, 1] towards ½."""
    return target * (1 - smoothing) + smoothing / 2 if smoothing else target


def _log_sigmoids(xp: ArrayModule, logit: Array) -> tuple[Array, Array]:
    """log p and log(1 − p) of a logit."""
    tail = xp.log1p(xp.exp(-xp.abs(logit)))
    return xp.minimum(logit, 0) - tail, xp.minimum(-logit, 0) - tail


def _logs(xp: ArrayModule, p: Array, bounds: Limits) -> tuple[Array, Array]:
    """log p and log(1 − p) of a probability."""
    return _clipped(xp, xp.log(p), xp.log1p(-p), bounds)


def _clipped(xp: ArrayModule, log_p: Array, log_q: Array, bounds: Limits) -> tuple[Array, Array]:
    return bounds.clip_log(xp, log_p), bounds.mirrored.clip_log(xp, log_q)


def _cross_entropy(
    xp: ArrayModule,
    target: Array,
    log_p: Array,
    log_q: Array,
    positive: float | Array,
    negative: float,
) -> Array:
    """−[positive·y·log p + negative·(1 − y)·log q], with 0·log 0 = 0."""
    of_one = target if isinstance(positive, float) and positive == 1 else positive * target
    of_zero = 1 - target if negative == 1 else negative * (1 - target)
    return 0 - (weighed(xp, of_one, log_p) + weighed(xp, of_zero, log_q))


def _for_last_axis(
    xp: ArrayModule, numbers: float | tuple[float, ...], prediction: Array
) -> float | Array:
    """One number, or an array with one for each entry of the last axis."""
    if not isinstance(numbers, tuple):
        return numbers
    if prediction.ndim < 2 or prediction.shape[-1] != len(numbers):
        raise InvalidInput(
            "prediction",
            None,
            f"has not {len(numbers)} entries on its last axis, one for each pos_weight",
            "give pos_weight one number, or one for each label",
        )
    return xp.asarray(numbers, dtype=prediction.dtype)


_MARGIN_INPUTS = (
    Input("prediction", help="scores; positive speaks for class 1"),
    Input("target", domain=MARGIN_LABEL, labels=True),
)
_MARGIN = Param("margin", 1.0, "the score up to which right predictions cost", least=0)


@loss(
    summary="Hinge loss",
    formula="max(0, m − yz), y ∈ {−1, 1}; targets {0, 1} are mapped to it",
    curve="margin",
    inputs=_MARGIN_INPUTS,
    params=(_MARGIN,),
    use="Scores of a margin classifier, where only the side counts; no use for probabilities.",
    traits=("robust", "convex"),
    reference="Cortes & Vapnik 1995, Support-vector networks, Machine Learning 20",
    example=Example({"prediction": [0.5, -0.25, 2.0], "target": [1, 1, -1]}, 4.75 / 3),
    conventions={
        "keras": Convention("keras.losses.Hinge"),
        "sklearn": Convention("sklearn.metrics.hinge_loss"),
        "optax": Convention("optax.losses.hinge_loss", note="per element; here its mean"),
    },
)
def hinge(xp: ArrayModule, prediction: Array, target: Array, *, margin: float) -> Array:
    target = target.astype(prediction.dtype, copy=False)
    sign = target + (target * target - 1)  # −1 for 0 too
    return xp.maximum(margin - sign * prediction, 0)


@loss(
    summary="Squared hinge loss",
    formula="max(0, m − yz)², y ∈ {−1, 1}; targets {0, 1} are mapped to it",
    curve="margin",
    inputs=_MARGIN_INPUTS,
    params=(_MARGIN,),
    use="As hinge, smooth, and harder on far outliers.",
    traits=("smooth", "convex"),
    reference="Lee & Mangasarian 2001, SSVM, Computational Optimization and Applications 20",
    example=Example({"prediction": [0.5, -0.25, 2.0], "target": [1, 1, -1]}, 10.8125 / 3),
    conventions={"keras": Convention("keras.losses.SquaredHinge")},
)
def squared_hinge(xp: ArrayModule, prediction: Array, target: Array, *, margin: float) -> Array:
    return xp.square(hinge(xp, prediction, target, margin=margin))


@loss(
    summary="Brier score",
    formula="(p − y)²; for (N, C) Σ_c (p_c − y_c)²",
    curve="probability",
    inputs=(
        Input("prediction", "(N, …) or (N, C, …) or (N, …, C)", domain=PROBABILITY),
        Input(
            "target",
            "(N, …) or (N, C, …)",
            labels=True,
            help="0 and 1 or probabilities of prediction's shape, or class ids",
        ),
    ),
    params=(IGNORE_INDEX, AXIS),
    use="Probabilities that must be right, without the infinities of log loss; slow to notice "
    "errors about rare events.",
    traits=("bounded", "convex", "proper", "calibration"),
    reference="Brier 1950, Verification of forecasts expressed in terms of probability, "
    "Mon. Weather Rev. 78",
    example=Example({"prediction": [0.4, 0.9, 0.2], "target": [0, 1, 1]}, 0.27),
    conventions={
        "sklearn": Convention(
            "sklearn.metrics.brier_score_loss", note="halves the sum over two classes, as here"
        )
    },
)
def brier(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    ignore_index: int | None,
    axis: int | None,
) -> Array | Elements:
    if prediction.ndim == target.ndim != 2 and axis is None:
        return xp.square(prediction - _shares(xp, target, prediction))
    prediction, target, soft = classes_last(xp, prediction, target, axis)
    if soft:
        return ordered_sum(xp, xp.square(prediction - _shares(xp, target, prediction)))
    classes = prediction.shape[-1]
    ids, keep = class_ids(xp, target, classes, ignore_index)
    squares = xp.square(prediction - one_hot(xp, ids, classes, prediction.dtype))
    values = with_unknown(xp, target, ordered_sum(xp, squares))
    return values if keep is None else Elements(values, keep.astype(values.dtype))


def _shares(xp: ArrayModule, target: Array, prediction: Array) -> Array:
    """A target of prediction's shape, in its dtype."""
    UNIT.check(xp, target, "target")
    return target.astype(prediction.dtype, copy=False)
