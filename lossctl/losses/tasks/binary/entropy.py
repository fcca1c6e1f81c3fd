"""Cross entropy of yes/no outcomes, weighted and focal."""

from __future__ import annotations

from math import exp

from lossctl.losses.classes import (
    CLIP,
    CLIP_ALWAYS,
    CLIP_EPSILON,
    FROM_LOGITS,
    IGNORE_INDEX,
    KERAS_CLIP,
    Limits,
    limits,
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
from lossctl.losses.domains import PROBABILITY, UNIT
from lossctl.losses.numerics import one_minus_exp, sigmoid, weighed
from lossctl.losses.shared import shared
from lossctl.losses.tasks.binary.parts import kept, of_kept

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
_SMOOTHING_TO = Param(
    "smoothing_to",
    "half",
    "what the share ε becomes: half, ½; other, the other class: (1 − ε)y + ε(1 − y)",
    choices=("half", "other"),
)
_COUNT_IGNORED = Param(
    "count_ignored", False, "what ignore_index leaves out counts in the mean, as losses of 0"
)
_CLIPS = (CLIP, CLIP_EPSILON)
_TORCH_CLIP = exp(-100)  # torch lets no logarithm fall below −100


@loss(
    aliases=("binary_crossentropy", "log_loss"),
    summary="Binary cross entropy (log loss)",
    formula="−[w y log p + (1 − y) log(1 − p)], w = pos_weight",
    unit="nats",
    curve="probability",
    inputs=(_INPUTS[0], _INPUTS[1]._replace(unless="ignore_index")),
    params=(
        FROM_LOGITS,
        _SMOOTHING,
        _SMOOTHING_TO,
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
        IGNORE_INDEX,
        _COUNT_IGNORED,
    ),
    use="The likelihood of yes/no outcomes, for probabilities that must be right; one certain "
    "and wrong prediction makes it infinite.",
    traits=("convex", "proper", "calibration", "nonnegative"),
    reference="Good 1952, Rational Decisions, J. R. Stat. Soc. B 14",
    example=Example({"prediction": [0.4, 0.6], "target": [0, 1]}, 0.5108256237659907),
    conventions={
        "torch": Convention(
            "torch.nn.functional.binary_cross_entropy",
            {"clip": _TORCH_CLIP},
            note="no logarithm falls below −100",
            multiplies=True,
        ),
        "keras": Convention(
            "keras.losses.BinaryCrossentropy",
            {"clip": KERAS_CLIP},
            note="probabilities are clipped at 1e-7 in float32",
            row_means=True,
            multiplies=True,
        ),
        "keras2": Convention(
            "tf_keras.losses.BinaryCrossentropy",
            {"clip": 1e-7, "epsilon": 1e-7},
            note="as Keras before 3: clipped at 1e-7, then 1e-7 is added inside the logarithms",
            row_means=True,
            multiplies=True,
        ),
        "sklearn": Convention(
            "sklearn.metrics.log_loss",
            {"clip_epsilon": True},
            note="probabilities are clipped at the machine epsilon of their type",
        ),
        "optax": Convention(
            "optax.losses.sigmoid_binary_cross_entropy",
            {"from_logits": True},
            note="takes logits; per element, here its mean",
        ),
        "smp": Convention(
            "segmentation_models_pytorch.losses.SoftBCEWithLogitsLoss",
            {
                "from_logits": True,
                "smoothing_to": "other",
                "ignore_index": -100,
                "count_ignored": True,
            },
            note="takes logits; targets of −100 are left out, but count in the mean; its "
            "smooth_factor is label_smoothing",
        ),
        "scoringrules": Convention(
            "scoringrules.log_score", note="targets 0 and 1 only; per element, here its mean"
        ),
    },
    contrast={"prediction": [0.25, 0.0], "target": [1, 1]},
)
def bce(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    from_logits: bool,
    label_smoothing: float,
    smoothing_to: str,
    pos_weight: float | tuple[float, ...],
    clip: float | tuple[float, ...],
    clip_epsilon: bool,
    epsilon: float,
    ignore_index: int | None,
    count_ignored: bool,
) -> Array | Elements:
    target, keep = kept(xp, target, ignore_index)
    target = _smooth(target.astype(prediction.dtype, copy=False), label_smoothing, smoothing_to)
    bounds = limits(xp, clip, clip_epsilon, prediction.dtype)
    if from_logits:
        log_p, log_q = _log_sigmoids(xp, prediction)
    elif epsilon:
        p = xp.minimum(xp.maximum(prediction, bounds.low), 1 - bounds.high)
        log_p, log_q = xp.log(p + epsilon), xp.log(1 - p + epsilon)
    else:
        log_p, log_q = _logs(xp, prediction, bounds)
    weight = _for_last_axis(xp, pos_weight, prediction)
    values = _cross_entropy(xp, target, log_p, log_q, weight, 1.0)
    if keep is not None and count_ignored:
        return xp.where(keep, values, 0)
    return of_kept(values, keep)


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
    traits=("convex", "imbalanced", "nonnegative"),
    reference="Xie & Tu 2015, Holistically-Nested Edge Detection, with a free weight",
    example=Example({"prediction": [0.4, 0.6], "target": [0, 1]}, 0.766238435648986, {"beta": 2.0}),
    conventions={
        "torch": Convention(
            "torch.nn.functional.binary_cross_entropy_with_logits",
            {"from_logits": True},
            note="takes logits; its pos_weight is beta",
            multiplies=True,
        ),
    },
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
    traits=("convex", "imbalanced", "nonnegative"),
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
        Param(
            "p_t",
            "mixture",
            "p_t of a soft target: mixture, yp + (1 − y)(1 − p); geometric, "
            "p^y (1 − p)^(1 − y); logit, σ((2y − 1)z) of the logit z; a hard one has no choice",
            choices=("mixture", "geometric", "logit"),
        ),
        CLIP_ALWAYS,
        CLIP_EPSILON,
    ),
    use="Many easy negatives, as in detection: the hard examples rule. Not calibrated: its "
    "best p is drawn towards ½.",
    traits=("imbalanced", "nonnegative"),
    reference="Lin et al. 2017, Focal Loss for Dense Object Detection",
    example=Example({"prediction": [0.4, 0.7], "target": [0, 1]}, 0.056916422378522215),
    conventions={
        "keras": Convention(
            "keras.losses.BinaryFocalCrossentropy",
            {"clip": KERAS_CLIP},
            note="probabilities are clipped at 1e-7 in float32; alpha is its apply_class_balancing",
            row_means=True,
            multiplies=True,
        ),
        "optax": Convention(
            "optax.losses.sigmoid_focal_loss",
            {"from_logits": True},
            note="takes logits; per element, here its mean",
        ),
        "torchvision": Convention(
            "torchvision.ops.sigmoid_focal_loss",
            {"from_logits": True, "alpha": 0.25},
            note="takes logits; alpha is 0.25; per element, here its mean",
        ),
        "smp": Convention(
            'segmentation_models_pytorch.losses.FocalLoss(mode="binary")',
            {"from_logits": True, "p_t": "geometric"},
            note="takes logits; p_t is exp(−bce), which differs for soft targets",
        ),
        "monai": Convention(
            "monai.losses.FocalLoss",
            {"from_logits": True, "p_t": "logit"},
            note="takes logits, in float32; p_t is σ((2y − 1)z), which differs for soft targets",
        ),
    },
    contrast={"prediction": [0.4, 0.9, 0.2, 1.0], "target": [0.25, 1.0, 0.6, 0.0]},
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
    p_t: str,
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
    entropy = _cross_entropy(xp, target, log_p, log_q, 1.0, 1.0)
    if p_t == "geometric":
        wrong = one_minus_exp(xp, -entropy)
    elif p_t == "logit":
        wrong = sigmoid(xp, weighed(xp, 1 - 2 * target, log_p - log_q))
    else:
        wrong = target * q + (1 - target) * p
    values = wrong**gamma * entropy
    if alpha is None:
        return values
    return weighed(xp, alpha * target + (1 - alpha) * (1 - target), values)


def _smooth(target: Array, smoothing: float, to: str = "half") -> Array:
    """Draw a target in [0, 1] towards ½, or mix it with the other class."""
    if not smoothing:
        return target
    return target * (1 - smoothing) + (smoothing / 2 if to == "half" else smoothing * (1 - target))


@shared
def _log_sigmoids(xp: ArrayModule, logit: Array) -> tuple[Array, Array]:
    """log p and log(1 − p) of a logit."""
    tail = xp.log1p(xp.exp(-xp.abs(logit)))
    return xp.minimum(logit, 0) - tail, xp.minimum(-logit, 0) - tail


@shared
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
    found = weighed(xp, of_one, log_p)
    found += weighed(xp, of_zero, log_q)
    return xp.subtract(0, found, out=found)


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
