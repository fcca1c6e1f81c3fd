"""Segmentation: masks of probabilities against masks, or against class ids.

The overlap losses are functions of three sums for each mask: TP = Σ yp, FP = Σ (1 − y)p and
FN = Σ y(1 − p). So what is small is summed as such, and a nearly perfect mask keeps its digits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from math import inf, nan
from typing import Any, NamedTuple

from lossctl.losses.classes import AXIS, FROM_LOGITS, class_axis, class_ids
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    Input,
    InvalidInput,
    Kernel,
    Param,
    Sums,
    loss,
)
from lossctl.losses.domains import PROBABILITY, require
from lossctl.losses.numerics import ratio, sigmoid
from lossctl.losses.shapes import show_shape

SMOOTH = Param("smooth", 0.0, "added to the numerator and the denominator of the ratio", least=0)
OVER = Param(
    "over",
    "sample",
    "sample: the ratio of each sample, then their mean; dataset: the ratio of the sums over all",
    choices=("sample", "dataset"),
)
AVERAGE = Param(
    "average",
    "macro",
    "macro: the mean over classes; micro: one ratio of all classes' sums; none: each class by "
    "itself too",
    kind="choice",
    choices=("macro", "micro", "none"),
)
IGNORE_INDEX = Param(
    "ignore_index",
    None,
    "the target value to leave out; a class of this id is left out of the average too",
    kind="integer",
)
PER_IMAGE = Param("per_image", True, "the mean over images; false: all pixels as one image")

_TARGET = Input(
    "target", "(N, …)", labels=True, help="a mask of 0 to 1; class ids; or one mask for each class"
)
_PREDICTION = Input(
    "prediction", "(N, C, …) or (N, …, C) or (N, …)", PROBABILITY, unless="from_logits"
)


class _Masks(NamedTuple):
    """Flat masks (n, C, P): C is 1 for one mask for each sample, P are the pixels."""

    p: Array  # the probability; 0 where the pixel takes no part
    missing: Array  # 1 − p, accurate where p is nearly 1; 0 where the pixel takes no part
    y: Array  # the target: boolean, or floats from 0 to 1; 0 where the pixel takes no part
    kept: Array | None  # which masks (n, C) have a pixel that takes part; None for all


def _masks(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    ignore_index: int | None,
    from_logits: bool,
    axis: int | None,
    hard: bool = False,
) -> _Masks:
    """Bring every shape that the task takes into one."""
    at = _classes_on(tuple(prediction.shape), tuple(target.shape), axis)
    n, one_mask = prediction.shape[0], at is None or prediction.shape[at] == 1
    classes = 1 if one_mask else prediction.shape[at]

    def flat(array: Array) -> Array:
        """(n, …) as (n, C, P), or (n, 1, P) without a class axis."""
        if one_mask or array.ndim < prediction.ndim:
            return array.reshape(n, 1, -1)
        return xp.ascontiguousarray(xp.moveaxis(array, at, 1)).reshape(n, classes, -1)

    target = target.astype("float32") if target.dtype == "float16" else target
    p = flat(prediction)
    if not from_logits:
        missing = 1 - p
    elif one_mask:
        p, missing = sigmoid(xp, p), sigmoid(xp, -p)
    else:
        p, missing = _softmax(xp, p)
    if target.dtype.kind == "f":
        unknown = xp.isnan(target)
        p = xp.where(flat(unknown), nan, p) if bool(unknown.any()) else p
    ids = not one_mask and target.ndim < prediction.ndim
    if ids:
        numbers, keep = class_ids(xp, target, classes, ignore_index)
        y = flat(numbers) == xp.arange(classes)[:, None]
    else:
        if not one_mask and ignore_index in (0, 1):
            raise InvalidInput(
                "target",
                None,
                f"holds masks of 0 and 1, of which ignore_index={ignore_index} is no class",
                "give class ids, or mark the pixels to leave out with another value, say 255",
            )
        degrees, keep = _degrees(xp, target, ignore_index, hard)
        y = flat(degrees)
    if keep is None:
        return _Masks(p, missing, y, None)
    keep = flat(keep)
    if ids and ignore_index in range(classes):
        keep = keep & (xp.arange(classes) != ignore_index)[:, None]
    p, missing = xp.where(keep, p, 0), xp.where(keep, missing, 0)
    y = y & keep if y.dtype.kind == "b" else xp.where(keep, y, 0)
    return _Masks(p, missing, y, xp.broadcast_to(keep.any(axis=-1), p.shape[:2]))


def _classes_on(
    prediction: tuple[int, ...], target: tuple[int, ...], axis: int | None
) -> int | None:
    """The class axis of the prediction; None where it is one mask for each sample."""
    same = prediction == target
    if same and axis is None:
        if len(prediction) <= 3:
            return None
        channels = [at for at in (1, len(prediction) - 1) if prediction[at] == 1]
        if channels:
            return channels[0]
    return class_axis(prediction, target, axis, soft=same)


def _degrees(
    xp: ArrayModule, target: Array, ignore_index: int | None, hard: bool
) -> tuple[Array, Array | None]:
    """Masks from 0 to 1, and which pixels to keep; booleans where whole or to be `hard`."""
    keep = None if ignore_index is None else target != ignore_index
    hard = hard or target.dtype.kind in "iub"
    inside = (target == 0) | (target == 1) if hard else (target >= 0) & (target <= 1)
    require(
        xp,
        inside if keep is None else inside | ~keep,
        "target",
        "has {value}, neither 0 nor 1" if hard else "has {value}, outside [0, 1]",
        "divide masks of 0 and 255 by 255; name a value that marks what to leave out as "
        "ignore_index; with class ids, the prediction needs a class axis",
        target,
    )
    return target == 1 if hard else target, keep


def _softmax(xp: ArrayModule, scores: Array) -> tuple[Array, Array]:
    """Softmax over axis 1, and its complement.

    In float64: a difference of float32 logits is rounded to more than exp forgives.
    """
    scores = scores.astype("float64", copy=False)
    p = xp.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    likely = p > 0.5
    others = xp.where(likely, 0, p).sum(axis=1, keepdims=True)
    return p, xp.where(likely, others, 1 - p)


# ---- losses of the overlap ---------------------------------------------------------------

Index = Callable[..., Array]  # (xp, tp, fp, fn, *, smooth, **params) -> values


def _overlap(
    params: tuple[Param, ...] = (), negatives: bool = False, **facts: Any
) -> Callable[[Index], Kernel]:
    """Register a function of the sums TP, FP, FN of a mask, and TN where `negatives` count.

    Over samples the kernel evaluates it; over the data set the finish does.
    """

    def register(index: Index) -> Kernel:
        @wraps(index)
        def kernel(
            xp: ArrayModule,
            prediction: Array,
            target: Array,
            *,
            over: str,
            average: str | None,
            ignore_index: int | None,
            from_logits: bool,
            axis: int | None,
            squared: bool = False,
            **own: Any,
        ) -> Array | Elements | Sums:
            masks = _masks(xp, prediction, target, ignore_index, from_logits, axis)
            sums, kept = _sums(xp, masks, squared, negatives), masks.kept
            if average == "micro":
                sums = sums.sum(axis=1, keepdims=True)
                kept = None if kept is None else kept.any(axis=1, keepdims=True)
            if over == "dataset":
                kept = None if kept is None else xp.broadcast_to(kept[..., None], sums.shape)
                return Sums(sums, _as_weights(kept))
            values = evaluate(xp, sums, own)
            if _one_by_one(average):
                return Sums(values, _as_weights(kept))
            values, kept = _mean(xp, values, kept)
            return values if kept is None else Elements(values, _as_weights(kept))

        def finish(
            xp: ArrayModule,
            sums: Array,
            weights: Array,
            *,
            over: str,
            average: str | None,
            ignore_index: int | None,
            from_logits: bool,
            axis: int | None,
            squared: bool = False,
            **own: Any,
        ) -> Array:
            values, kept = evaluate(xp, sums, own), weights[..., 0] > 0
            return (
                xp.where(kept, values, nan) if _one_by_one(average) else _mean(xp, values, kept)[0]
            )

        def evaluate(xp: ArrayModule, sums: Array, own: dict[str, Any]) -> Array:
            return index(xp, *xp.moveaxis(sums, -1, 0), **own)

        return loss(
            inputs=(_PREDICTION, _TARGET),
            params=(*params, SMOOTH, OVER, AVERAGE, IGNORE_INDEX, FROM_LOGITS, AXIS),
            finish=finish,
            finish_when=("over", "dataset"),
            **facts,
        )(kernel)

    return register


def _one_by_one(average: str | None) -> bool:
    return average is None or average == "none"


def _as_weights(kept: Array | None) -> Array | None:
    return None if kept is None else kept.astype("float64")


def _mean(xp: ArrayModule, values: Array, kept: Array | None) -> tuple[Array, Array | None]:
    """The mean over the classes, the last axis, that are kept, and whether any is."""
    if kept is None:
        return values.mean(axis=-1), None
    total = xp.where(kept, values, 0).sum(axis=-1)
    return ratio(xp, total, kept.sum(axis=-1)), kept.any(axis=-1)


def _sums(xp: ArrayModule, masks: _Masks, squared: bool, negatives: bool) -> Array:
    """TP, FP, FN and, if asked for, TN, on the last axis of (n, C, …), in float64.

    Where `squared`, FP and FN are each half of Σ (y − p)², so that 2TP + FP + FN is
    Σy² + Σp².
    """

    def outside(y: Array) -> Array:
        return 1 - y if y.dtype.kind == "f" else ~y

    p, missing, y, _ = masks
    hit = p * y
    if squared:
        apart = xp.where(y == 1, missing, y - p if y.dtype.kind == "f" else p)
        false = missed = 0.5 * xp.square(apart)
    else:
        false, missed = p * outside(y), missing * y
    found = [hit, false, missed, *([missing * outside(y)] if negatives else [])]
    return xp.stack([item.sum(axis=-1, dtype="float64") for item in found], axis=-1)


_EXAMPLE = {
    "prediction": [[0.9, 0.6, 0.2, 0.1], [0.3, 0.7, 0.5, 0.0]],
    "target": [[1, 1, 0, 0], [0, 1, 0, 1]],
}


@_overlap(
    aliases=("dice_loss", "soft_dice"),
    summary="Dice loss: one minus the Sørensen-Dice coefficient",
    formula="1 − (2Σyp + s)/(Σy + Σp + s); squared: Σy² + Σp² below",
    params=(Param("squared", False, "squares in the denominator, as in V-Net"),),
    use="Overlap of masks whose class is rare. Small objects rule over=sample, large ones "
    "over=dataset; it is no calibrated score of the probabilities.",
    traits=("imbalanced", "bounded"),
    reference="Milletari, Navab & Ahmadi 2016, V-Net; Dice 1945, Ecology 26",
    example=Example(_EXAMPLE, 77 / 190),
    conventions={
        "monai": Convention(
            "monai.losses.DiceLoss", {"smooth": 1e-5, "axis": 1}, note="smoothed by 1e-5"
        ),
        "optax": Convention(
            "optax.losses.dice_loss",
            {"smooth": 2.0, "from_logits": True, "axis": -1},
            note="logits, smoothed by 1 in TP/(TP + ½FP + ½FN)",
        ),
    },
)
def dice(xp: ArrayModule, tp: Array, fp: Array, fn: Array, *, smooth: float) -> Array:
    return ratio(xp, fp + fn, 2 * tp + fp + fn + smooth)


@_overlap(
    aliases=("iou", "jaccard_loss", "soft_iou"),
    summary="Jaccard loss: one minus the intersection over the union",
    formula="1 − (Σyp + s)/(Σy + Σp − Σyp + s)",
    use="As dice, ranking masks the same way but harder on bad ones; the figure that "
    "segmentation benchmarks report.",
    traits=("imbalanced", "bounded"),
    reference="Rahman & Wang 2016, Optimizing Intersection-Over-Union; Jaccard 1912",
    example=Example(_EXAMPLE, 101 / 184),
    conventions={
        "monai": Convention(
            "monai.losses.DiceLoss(jaccard=True)",
            {"smooth": 5e-6, "axis": 1},
            note="smoothed by 1e-5 in 2TP/2(TP + FP + FN)",
        )
    },
)
def jaccard(xp: ArrayModule, tp: Array, fp: Array, fn: Array, *, smooth: float) -> Array:
    return ratio(xp, fp + fn, tp + fp + fn + smooth)


def _tversky(
    xp: ArrayModule, tp: Array, fp: Array, fn: Array, alpha: float, beta: float, smooth: float
) -> Array:
    wrong = alpha * fp + beta * fn
    return ratio(xp, wrong, tp + wrong + smooth)


_TVERSKY = (
    Param("alpha", 0.5, "the weight of false positives", least=0),
    Param("beta", 0.5, "the weight of false negatives", least=0),
)


@_overlap(
    aliases=("tversky_loss",),
    summary="Tversky loss: overlap with weights for false positives and negatives",
    formula="1 − (TP + s)/(TP + αFP + βFN + s); α = β = ½ is dice, 1 is jaccard",
    params=_TVERSKY,
    use="Where missing a lesion costs more than marking too much: beta above alpha. Libraries "
    "differ in which of the two weighs false positives.",
    traits=("imbalanced", "bounded", "asymmetric"),
    reference="Salehi, Erdogmus & Gholipour 2017, Tversky loss function; Tversky 1977",
    example=Example(_EXAMPLE, (22 / 97 + 23 / 37) / 2, {"alpha": 0.3, "beta": 0.7}),
    conventions={
        "monai": Convention(
            "monai.losses.TverskyLoss", {"smooth": 1e-5, "axis": 1}, note="smoothed by 1e-5"
        )
    },
)
def tversky(
    xp: ArrayModule, tp: Array, fp: Array, fn: Array, *, alpha: float, beta: float, smooth: float
) -> Array:
    return _tversky(xp, tp, fp, fn, alpha, beta, smooth)


@_overlap(
    aliases=("focal_tversky_loss",),
    summary="Focal Tversky loss: a power of the Tversky loss",
    formula="(1 − TI)^γ with the Tversky index TI, per sample and class",
    params=(*_TVERSKY, Param("gamma", 0.75, "the power; below 1 it stresses good masks", above=0)),
    use="Tversky where the classes that are nearly right still matter (gamma below 1) or "
    "hardly (above 1).",
    traits=("imbalanced", "bounded", "asymmetric"),
    reference="Abraham & Khan 2019, A Novel Focal Tversky Loss; their exponent 1/γ is gamma here",
    example=Example(_EXAMPLE, 0.5143642424202709, {"alpha": 0.3, "beta": 0.7}),
)
def focal_tversky(
    xp: ArrayModule,
    tp: Array,
    fp: Array,
    fn: Array,
    *,
    alpha: float,
    beta: float,
    gamma: float,
    smooth: float,
) -> Array:
    return _tversky(xp, tp, fp, fn, alpha, beta, smooth) ** gamma


@_overlap(
    aliases=("mcc", "matthews_loss"),
    negatives=True,
    summary="MCC loss: one minus Matthews' correlation of soft counts",
    formula="1 − (TP·TN − FP·FN + s)/(√((TP+FP)(TP+FN)(TN+FP)(TN+FN)) + s)",
    use="Overlap that also counts the background, so that a mask of everything is no better "
    "than one of nothing; 1 where either mask is constant and they differ.",
    traits=("imbalanced", "bounded", "symmetric"),
    reference="Abhishek & Hamarneh 2021, Matthews Correlation Coefficient Loss; Matthews 1975",
    example=Example(_EXAMPLE, 0.7243085443969525),
)
def mcc_loss(
    xp: ArrayModule, tp: Array, fp: Array, fn: Array, tn: Array, *, smooth: float
) -> Array:
    covariance = tp * tn - fp * fn
    scale = xp.sqrt(tp + fp) * xp.sqrt(tp + fn) * xp.sqrt(tn + fp) * xp.sqrt(tn + fn)
    # scale² − covariance², term by term: near 1 the correlation's own difference cancels
    across, along = tp * fn + fp * tn, tp * fp + fn * tn
    apart = 4 * (tp * tn) * (fp * fn) + (tp * tn + fp * fn) * (across + along) + across * along
    gap = xp.where(covariance > 0, ratio(xp, apart, scale + covariance), scale - covariance)
    same = (fp == 0) & (fn == 0)
    return xp.where(same, 0.0, xp.where(scale + smooth == 0, 1.0, gap / (scale + smooth)))


# ---- Lovász extensions -------------------------------------------------------------------


def _lovasz(xp: ArrayModule, errors: Array, y: Array) -> Array:
    """The Lovász extension of the Jaccard loss (…) at errors (…, P) of masks y.

    The jump of the Jaccard loss at the k-th largest error has a closed form, without the
    difference of two losses that are nearly equal.
    """
    order = xp.argsort(-errors, axis=-1)
    errors = xp.take_along_axis(errors, order, axis=-1)
    y = xp.take_along_axis(y, order, axis=-1)
    found = xp.cumsum(y, axis=-1, dtype="int64")
    inside = found[..., -1:]
    rank = xp.arange(1, y.shape[-1] + 1)
    both = (inside - found).astype("float64")
    either = (inside - found + rank).astype("float64")
    # an empty mask is wholly wrong at its first error
    false = xp.where(inside == 0, rank == 1, both / (either * (either - 1)))
    jumps = xp.where(y, 1 / either, false)
    return (xp.maximum(errors, 0) * jumps).sum(axis=-1)


def _one_image(array: Array) -> Array:
    """(n, C, P) as one image (1, C, n·P)."""
    return array.swapaxes(0, 1).reshape(1, array.shape[1], -1)


_IMAGE_EXAMPLE = {
    "prediction": [[[1.5, -0.5], [0.25, -2.0]], [[0.5, 1.0], [-1.0, 3.0]]],
    "target": [[[1, 1], [0, 0]], [[0, 1], [0, 0]]],
}


@loss(
    summary="Lovász hinge: the extension of the Jaccard loss to scores of one mask",
    formula="Δ_J at the hinge errors (1 − z(2y − 1))₊, sorted, per image",
    inputs=(
        Input("prediction", "(N, …) or (N, 1, …)", help="scores; above 0 is inside"),
        Input("target", "(N, …)", labels=True, help="a mask of 0 and 1"),
    ),
    params=(PER_IMAGE, IGNORE_INDEX),
    use="A piecewise linear stand-in for the IoU of the thresholded mask; unbounded in wrong "
    "scores, and an image without any object counts its largest error alone.",
    traits=("imbalanced", "convex"),
    reference="Berman, Triki & Blaschko 2018, The Lovász-Softmax loss",
    example=Example(_IMAGE_EXAMPLE, 77 / 48),
    whole_when=("per_image", False),
)
def lovasz_hinge(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    per_image: bool,
    ignore_index: int | None,
) -> Array | Elements:
    n = prediction.shape[0]
    scores = prediction.reshape(n, 1, -1)
    inside, keep = _degrees(xp, target, ignore_index, hard=True)
    y = inside.reshape(n, 1, -1)
    errors = xp.where(y, 1 - scores, 1 + scores)
    if target.dtype.kind == "f":
        errors = xp.where(xp.isnan(target).reshape(n, 1, -1), nan, errors)
    kept = None
    if keep is not None:
        keep = keep.reshape(n, 1, -1)
        errors, y, kept = xp.where(keep, errors, -inf), y & keep, keep.any(axis=-1)[:, 0]
    if not per_image:
        errors, y = _one_image(errors), _one_image(y)
    values = _lovasz(xp, errors, y)[:, 0]
    return _valued(xp, values, kept, per_image)


@loss(
    summary="Lovász-softmax: the extension of the Jaccard loss to probabilities of classes",
    formula="mean over classes c of Δ_J at the errors |1[y = c] − p_c|, sorted, per image",
    inputs=(
        Input("prediction", "(N, C, …) or (N, …, C) or (N, …)", PROBABILITY, unless="from_logits"),
        Input("target", "(N, …)", labels=True, help="class ids, or one mask for each class"),
    ),
    params=(
        Param(
            "classes",
            "present",
            "present: the mean over the classes in the image's target; all: over all classes",
            choices=("present", "all"),
        ),
        PER_IMAGE,
        IGNORE_INDEX,
        FROM_LOGITS,
        AXIS,
    ),
    use="The mean IoU of segmentation benchmarks as a loss of probabilities; most often added "
    "to cross_entropy, as by itself it asks for no calibration.",
    traits=("imbalanced", "bounded"),
    reference="Berman, Triki & Blaschko 2018, The Lovász-Softmax loss",
    example=Example(
        {
            "prediction": [
                [[0.7, 0.25], [0.2, 0.5], [0.1, 0.25]],
                [[0.5, 0.1], [0.25, 0.3], [0.25, 0.6]],
            ],
            "target": [[0, 1], [1, 2]],
        },
        39 / 80,
    ),
    whole_when=("per_image", False),
)
def lovasz_softmax(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    classes: str,
    per_image: bool,
    ignore_index: int | None,
    from_logits: bool,
    axis: int | None,
) -> Array | Elements:
    at = _classes_on(tuple(prediction.shape), tuple(target.shape), axis)
    if at is None or prediction.shape[at] == 1:
        raise InvalidInput(
            "prediction",
            None,
            f"{show_shape(tuple(prediction.shape))} is one mask for each sample",
            "give one probability for each class; for one mask use lovasz_hinge with scores",
        )
    p, missing, y, kept = _masks(xp, prediction, target, ignore_index, from_logits, at, hard=True)
    # a pixel that takes no part has the error 0 in every class, as one that is right has
    errors = xp.where(y, missing, p)
    if not per_image:
        errors, y = _one_image(errors), _one_image(y)
        kept = None if kept is None else kept.any(axis=0, keepdims=True)
    if classes == "present":
        kept = y.any(axis=-1)
    # class by class, for the memory that sorting takes
    values = [_lovasz(xp, errors[:, c], y[:, c]) for c in range(y.shape[1])]
    value, valued = _mean(xp, xp.stack(values, axis=-1), kept)
    return _valued(xp, value, valued, per_image)


def _valued(
    xp: ArrayModule, values: Array, kept: Array | None, per_image: bool
) -> Array | Elements:
    """Per image, those that are kept; of all pixels as one image, NaN if none is."""
    if kept is None:
        return values
    return Elements(values, _as_weights(kept)) if per_image else xp.where(kept.any(), values, nan)
