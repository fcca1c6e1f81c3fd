"""Losses of the overlap: functions of three sums for each mask.

These are TP = Σ yp, FP = Σ (1 − y)p and FN = Σ y(1 − p). So what is small is summed as such, and
a nearly perfect mask keeps its digits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from math import nan, sqrt
from typing import Any

from lossctl.losses.classes import AXIS, FROM_LOGITS
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    Kernel,
    Param,
    Sums,
    loss,
)
from lossctl.losses.numerics import ordered_sum, ratio
from lossctl.losses.shared import shared
from lossctl.losses.tasks.segmentation.masks import (
    BACKGROUND,
    IGNORE_INDEX,
    MULTILABEL,
    PREDICTION,
    TARGET,
    Masks,
    as_weights,
    masks,
    mean_of_classes,
)
from lossctl.spec import Value

SMOOTH = Param("smooth", 0.0, "added to the numerator and the denominator of the ratio", least=0)
OVER = Param(
    "over",
    "sample",
    "sample: the ratio of each sample, then their mean; dataset: the ratio of the sums over all",
    choices=("sample", "dataset"),
)
_AVERAGE = Param(
    "average",
    "macro",
    "macro: the mean over classes; micro: one ratio of all classes' sums; none: each class by "
    "itself too",
    kind="choice",
    choices=("macro", "micro", "none"),
)
_ABSENT = Param(
    "absent",
    "count",
    "a class that the target has not: count: as any other; zero: it costs nothing; skip: the mean "
    "goes without it",
    choices=("count", "zero", "skip"),
)
_INTERSECTION = Param(
    "intersection",
    "product",
    "TP of a soft target: product: Σ yp; minimum: Σ min(y, p), which a soft target can reach",
    choices=("product", "minimum"),
)
_POOLING = (
    OVER,
    _AVERAGE,
    _ABSENT,
    _INTERSECTION,
    BACKGROUND,
    MULTILABEL,
    IGNORE_INDEX,
    FROM_LOGITS,
    AXIS,
)
_RATIO = (
    SMOOTH,
    Param(
        "smooth_denominator",
        None,
        "added to the denominator, if that is not to be smooth as well",
        kind="number",
        least=0,
    ),
    Param("least_denominator", 0.0, "what the denominator is raised to if it is less", least=0),
)

_CLOSE = 1e-2  # of what it is left of, a difference below it has lost two digits

Index = Callable[..., Array]  # (xp, tp, fp, fn, **its own parameters) -> values


def _overlap(
    params: tuple[Param, ...] = _RATIO, negatives: bool = False, **facts: Any
) -> Callable[[Index], Kernel]:
    """Register a function of the sums TP, FP, FN of a mask, and TN where `negatives` count.

    Over samples the kernel evaluates it; over the data set the finish does.
    """
    names = {param.name for param in params} - {"squared"}

    def register(index: Index) -> Kernel:
        @wraps(index)
        def kernel(
            xp: ArrayModule,
            prediction: Array,
            target: Array,
            *,
            over: str,
            average: str | None,
            absent: str,
            intersection: str,
            squared: bool = False,
            **params: Any,
        ) -> Array | Elements | Sums:
            own = {name: params.pop(name) for name in names}
            found = masks(xp, prediction, target, **params)
            sums = overlap_sums(xp, found, squared, intersection, negatives)
            if absent != "count":
                size = found.y.sum(axis=-1, dtype="float64")
                sums = xp.concatenate([sums, size[..., None]], axis=-1)
            kept = found.kept(xp)
            if average == "micro":
                sums = sums.sum(axis=1, keepdims=True)
                kept = None if kept is None else kept.any(axis=1, keepdims=True)
            if over == "dataset":
                kept = None if kept is None else xp.broadcast_to(kept[..., None], sums.shape)
                return Sums(sums, as_weights(kept))
            values, kept = evaluate(xp, sums, kept, absent, own)
            if _one_by_one(average):
                return Sums(values, as_weights(kept))
            values, kept = mean_of_classes(xp, values, kept)
            return values if kept is None else Elements(values, as_weights(kept))

        def finish(
            xp: ArrayModule,
            sums: Array,
            weights: Array,
            *,
            average: str | None,
            absent: str,
            **params: Any,
        ) -> Array:
            own = {name: params[name] for name in names}
            values, kept = evaluate(xp, sums, weights[..., 0] > 0, absent, own)
            if _one_by_one(average):
                return xp.where(kept, values, nan)
            values, kept = mean_of_classes(xp, values, kept)
            return xp.where(kept, values, nan)

        def evaluate(
            xp: ArrayModule, sums: Array, kept: Array | None, absent: str, own: dict[str, Any]
        ) -> tuple[Array, Array | None]:
            """The index of sums (…, C, S), and which of the classes take part."""
            statistics = list(xp.moveaxis(sums, -1, 0))
            if absent == "count":
                return index(xp, *statistics, **own), kept
            present = statistics.pop() > 0
            values = index(xp, *statistics, **own)
            if absent == "zero":
                return xp.where(present, values, 0), kept
            return values, present if kept is None else kept & present

        return loss(
            inputs=(PREDICTION, TARGET),
            params=(*params, *_POOLING),
            finish=finish,
            finish_when=("over", "dataset"),
            **facts,
        )(kernel)

    return register


def _one_by_one(average: str | None) -> bool:
    return average is None or average == "none"


@shared
def overlap_sums(
    xp: ArrayModule,
    found: Masks,
    squared: bool = False,
    intersection: str = "product",
    negatives: bool = False,
) -> Array:
    """TP, FP, FN and, if asked for, TN, on the last axis of (n, C, …), in float64.

    Where `squared`, FP and FN are each half of Σ (y − p)², so that 2TP + FP + FN is
    Σy² + Σp².
    """
    soft = found.y.dtype.kind == "f"
    if not (soft or squared or negatives) and found.lack is None:
        return _whole_sums(xp, found.p, found.y)
    p, missing, y = found.p, found.missing, found.y
    y = y if soft else y.astype(p.dtype)
    hit = p * y
    if squared:
        apart = xp.where(y == 1, missing, y - p if soft else p)
        false = missed = 0.5 * xp.square(apart)
    elif soft and intersection == "minimum":
        hit, false, missed = xp.minimum(p, y), xp.maximum(p - y, 0), xp.maximum(y - p, 0)
        missed = xp.where(y == 1, missing, missed)
    elif soft:
        false, missed = p * (1 - y), missing * y
    else:
        false, missed = p - hit, missing * y  # p − p and p − 0 are exact
    summed = [hit, false, missed, *([missing * (1 - y)] if negatives else [])]
    return xp.stack([item.sum(axis=-1, dtype="float64") for item in summed], axis=-1)


def _whole_sums(xp: ArrayModule, p: Array, y: Array) -> Array:
    """TP, FP and FN of booleans y from Σ yp, Σ p and Σ y, which cost less than three products.

    Of masks where a difference of these is small, and has lost digits, the terms are summed.
    """
    hit = p * y.astype(p.dtype)
    right, whole = (ordered_sum(xp, item, -1, "float64") for item in (hit, p))
    size = y.sum(axis=-1, dtype="int32")
    false, missed = whole - right, size - right
    close = (false < _CLOSE * whole) | (missed < _CLOSE * size)
    if bool(close.any()):
        p, hit, y = p[close], hit[close], y[close]
        false[close] = ordered_sum(xp, p - hit, -1, "float64")
        missed[close] = ordered_sum(xp, (1 - p) * y, -1, "float64")
    return xp.stack([right, false, missed], axis=-1)


def missed_ratio(
    xp: ArrayModule,
    right: Array,
    wrong: Array,
    *,
    smooth: float,
    smooth_denominator: float | None = None,
    least_denominator: float = 0.0,
) -> Array:
    """1 − (right + smooth)/(right + wrong + smooth), without taking the difference."""
    below = smooth if smooth_denominator is None else smooth_denominator
    whole = right + wrong + below
    values = ratio(xp, wrong + (below - smooth), whole)
    if least_denominator == 0:
        return values
    return xp.where(whole < least_denominator, 1 - (right + smooth) / least_denominator, values)


_EXAMPLE = {
    "prediction": [[0.9, 0.6, 0.2, 0.1], [0.3, 0.7, 0.5, 0.0]],
    "target": [[1, 1, 0, 0], [0, 1, 0, 1]],
}
_KERAS: dict[str, Value] = {
    "over": "dataset",
    "average": "micro",
    "axis": -1,
    "smooth_denominator": 1e-7,
}
_KERAS_NOTE = "one ratio of the whole batch and all classes, 1e-7 below only: 1 for empty masks"
_SMP: dict[str, Value] = {
    "from_logits": True,
    "over": "dataset",
    "intersection": "minimum",
    "absent": "zero",
}
_SMP_NOTE = "logits; sums over the batch; a class that the target has not costs 0, and counts"
# Where one class is all there is, its emptiness shows only in a mask of nothing
_CONTRAST = {
    "prediction": [[[0.9, 0.6], [0.2, 0.1]], [[0.3, 0.7], [0.5, 0.0]], [[0.0, 0.1], [0.0, 0.0]]],
    "target": [[[1, 1], [0, 0]], [[0, 1], [0, 1]], [[0, 0], [0, 0]]],
}


@_overlap(
    aliases=("dice_loss", "soft_dice"),
    summary="Dice loss: one minus the Sørensen-Dice coefficient",
    formula="1 − (2Σyp + s)/(Σy + Σp + s); squared: Σy² + Σp² below",
    params=(Param("squared", False, "squares in the denominator, as in V-Net"), *_RATIO),
    use="Overlap of masks whose class is rare. Small objects rule over=sample, large ones "
    "over=dataset; it is no calibrated score of the probabilities.",
    traits=("imbalanced", "bounded", "nonnegative", "symmetric"),
    reference="Milletari, Navab & Ahmadi 2016, V-Net; Dice 1945, Ecology 26",
    example=Example(_EXAMPLE, 77 / 190),
    contrast=_CONTRAST,
    conventions={
        "monai": Convention(
            "monai.losses.DiceLoss", {"smooth": 1e-5, "axis": 1}, note="smoothed by 1e-5", empty=0.0
        ),
        "keras": Convention("keras.losses.Dice", _KERAS, note=_KERAS_NOTE),
        "smp": Convention(
            "segmentation_models_pytorch.losses.DiceLoss",
            {**_SMP, "least_denominator": 2e-7},
            note=_SMP_NOTE,
            empty=0.0,
        ),
        "optax": Convention(
            "optax.losses.dice_loss",
            {"smooth": 2.0, "from_logits": True, "axis": -1},
            note="logits, smoothed by 1 in TP/(TP + ½FP + ½FN)",
        ),
    },
)
def dice(xp: ArrayModule, tp: Array, fp: Array, fn: Array, **smoothing: Any) -> Array:
    return missed_ratio(xp, 2 * tp, fp + fn, **smoothing)


@_overlap(
    aliases=("iou", "jaccard_loss", "soft_iou"),
    summary="Jaccard loss: one minus the intersection over the union",
    formula="1 − (Σyp + s)/(Σy + Σp − Σyp + s)",
    use="As dice, ranking masks the same way but harder on bad ones; the figure that "
    "segmentation benchmarks report.",
    traits=("imbalanced", "bounded", "nonnegative", "symmetric"),
    reference="Rahman & Wang 2016, Optimizing Intersection-Over-Union; Jaccard 1912",
    example=Example(_EXAMPLE, 101 / 184),
    contrast=_CONTRAST,
    conventions={
        "monai": Convention(
            "monai.losses.DiceLoss(jaccard=True)",
            {"smooth": 5e-6, "axis": 1},
            note="smoothed by 1e-5 in 2TP/2(TP + FP + FN)",
            empty=0.0,
        ),
        "smp": Convention(
            "segmentation_models_pytorch.losses.JaccardLoss",
            {**_SMP, "least_denominator": 1e-7},
            note=_SMP_NOTE,
            empty=0.0,
        ),
    },
)
def jaccard(xp: ArrayModule, tp: Array, fp: Array, fn: Array, **smoothing: Any) -> Array:
    return missed_ratio(xp, tp, fp + fn, **smoothing)


_TVERSKY = (
    Param("alpha", 0.5, "the weight of false positives", least=0),
    Param("beta", 0.5, "the weight of false negatives", least=0),
    Param(
        "alpha_weighs",
        "false_positives",
        "false_negatives: alpha and beta change places",
        choices=("false_positives", "false_negatives"),
    ),
)


def _tversky(
    xp: ArrayModule,
    tp: Array,
    fp: Array,
    fn: Array,
    *,
    alpha: float,
    beta: float,
    alpha_weighs: str,
    **smoothing: Any,
) -> Array:
    if alpha_weighs == "false_negatives":
        alpha, beta = beta, alpha
    return missed_ratio(xp, tp, alpha * fp + beta * fn, **smoothing)


@_overlap(
    aliases=("tversky_loss",),
    summary="Tversky loss: overlap with weights for false positives and negatives",
    formula="1 − (TP + s)/(TP + αFP + βFN + s); α = β = ½ is dice, 1 is jaccard",
    params=(*_TVERSKY, *_RATIO),
    use="Where missing a lesion costs more than marking too much: beta above alpha. Libraries "
    "differ in which of the two weighs false positives.",
    traits=("imbalanced", "bounded", "asymmetric", "nonnegative"),
    reference="Salehi, Erdogmus & Gholipour 2017, Tversky loss function; Tversky 1977",
    example=Example(_EXAMPLE, (22 / 97 + 23 / 37) / 2, {"alpha": 0.3, "beta": 0.7}),
    contrast=_CONTRAST,
    conventions={
        "monai": Convention(
            "monai.losses.TverskyLoss",
            {"smooth": 1e-5, "axis": 1},
            note="smoothed by 1e-5",
            empty=0.0,
        ),
        "keras": Convention(
            "keras.losses.Tversky",
            {**_KERAS, "alpha_weighs": "false_negatives"},
            note=f"alpha weighs false negatives; {_KERAS_NOTE}",
        ),
        "smp": Convention(
            "segmentation_models_pytorch.losses.TverskyLoss",
            {**_SMP, "least_denominator": 1e-7},
            note=_SMP_NOTE,
            empty=0.0,
        ),
    },
)
def tversky(xp: ArrayModule, tp: Array, fp: Array, fn: Array, **own: Any) -> Array:
    return _tversky(xp, tp, fp, fn, **own)


@_overlap(
    aliases=("focal_tversky_loss",),
    summary="Focal Tversky loss: a power of the Tversky loss",
    formula="(1 − TI)^γ with the Tversky index TI, per sample and class",
    params=(
        *_TVERSKY,
        Param("gamma", 0.75, "the power; below 1 it stresses good masks", above=0),
        *_RATIO,
    ),
    use="Tversky where the classes that are nearly right still matter (gamma below 1) or "
    "hardly (above 1).",
    traits=("imbalanced", "bounded", "asymmetric", "nonnegative"),
    reference="Abraham & Khan 2019, A Novel Focal Tversky Loss; their exponent 1/γ is gamma here",
    example=Example(_EXAMPLE, 0.5143642424202709, {"alpha": 0.3, "beta": 0.7}),
)
def focal_tversky(
    xp: ArrayModule, tp: Array, fp: Array, fn: Array, *, gamma: float, **own: Any
) -> Array:
    return _tversky(xp, tp, fp, fn, **own) ** gamma


@_overlap(
    aliases=("mcc", "matthews_loss"),
    negatives=True,
    summary="MCC loss: one minus Matthews' correlation of soft counts",
    formula="1 − (TP·TN − FP·FN + s)/(√((TP+FP)(TP+FN)(TN+FP)(TN+FN) + ε) + s)",
    params=(
        SMOOTH,
        Param("epsilon", 0.0, "added to the product under the root", least=0),
        Param("pseudocount", 0.0, "added to each of the four counts", least=0),
    ),
    use="Overlap that also counts the background, so that a mask of everything is no better "
    "than one of nothing; 1 where either mask is constant and they differ.",
    traits=("imbalanced", "bounded", "symmetric", "nonnegative"),
    reference="Abhishek & Hamarneh 2021, Matthews Correlation Coefficient Loss; Matthews 1975",
    example=Example(_EXAMPLE, 0.7243085443969525),
    contrast=_CONTRAST,
    conventions={
        "monai": Convention(
            "monai.losses.MCCLoss", {"epsilon": 1e-5, "axis": 1}, note="1e-5 under the root"
        ),
        "smp": Convention(
            "segmentation_models_pytorch.losses.MCCLoss",
            {"pseudocount": 1e-5, "over": "dataset"},
            note="1e-5 in each count; sums over the batch; ½ for empty masks",
        ),
    },
)
def mcc_loss(
    xp: ArrayModule,
    tp: Array,
    fp: Array,
    fn: Array,
    tn: Array,
    *,
    smooth: float,
    epsilon: float,
    pseudocount: float,
) -> Array:
    if pseudocount:
        tp, fp, fn, tn = (count + pseudocount for count in (tp, fp, fn, tn))
    covariance = tp * tn - fp * fn
    scale = xp.sqrt(tp + fp) * xp.sqrt(tp + fn) * xp.sqrt(tn + fp) * xp.sqrt(tn + fn)
    # scale² − covariance², term by term: near 1 the correlation's own difference cancels
    across, along = tp * fn + fp * tn, tp * fp + fn * tn
    apart = 4 * (tp * tn) * (fp * fn) + (tp * tn + fp * fn) * (across + along) + across * along
    if epsilon:
        scale, apart = xp.hypot(scale, sqrt(epsilon)), apart + epsilon
    gap = xp.where(covariance > 0, ratio(xp, apart, scale + covariance), scale - covariance)
    same = (fp == 0) & (fn == 0)
    return xp.where(same, 0.0, xp.where(scale + smooth == 0, 1.0, gap / (scale + smooth)))
