"""Sums of the Dice loss and a loss of the pixels, as they are trained together."""

from __future__ import annotations

from typing import Any

from lossctl.losses.classes import AXIS, FROM_LOGITS, LABEL_SMOOTHING
from lossctl.losses.definition import (
    REGISTRY,
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
from lossctl.losses.domains import PROBABILITY
from lossctl.losses.shapes import show_shape
from lossctl.losses.tasks.segmentation.masks import (
    IGNORE_INDEX,
    PREDICTION,
    TARGET,
    Masks,
    as_weights,
    classes_on,
    masks,
    mean_of_classes,
)
from lossctl.losses.tasks.segmentation.overlap import SMOOTH, missed_ratio, overlap_sums
from lossctl.spec import Value

_SQUARED = Param("squared", False, "squares in the Dice loss's denominator, as in V-Net")
_DICE = (SMOOTH, _SQUARED)
_COMMON = (IGNORE_INDEX, FROM_LOGITS, AXIS)
_USE = (
    "The Dice loss sees the overlap, the other each pixel. Summed for each sample, whose classes "
    "and pixels are averaged; other factors are a spec: 0.3*{}"
)


def _logits(part: str) -> Param:
    return Param(
        "pixel_logits",
        False,
        f"the {part} takes prediction as logits though the Dice loss takes it as it is",
    )


def _dice(xp: ArrayModule, found: Masks, smooth: float, squared: bool) -> Array:
    """The mean of the classes' Dice losses (n,)."""
    tp, false, missed = xp.moveaxis(overlap_sums(xp, found, squared), -1, 0)
    values = missed_ratio(xp, 2 * tp, false + missed, smooth=smooth)
    return mean_of_classes(xp, values, found.kept(xp))[0]


def _sum(xp: ArrayModule, dice: Array, pixels: Array | Elements) -> Array | Elements:
    """The sums (n,) of the Dice losses (n,) and the means of each sample's pixels (n, …)."""
    n = len(dice)
    if not isinstance(pixels, Elements):
        return dice + pixels.reshape(n, -1).astype("float64").mean(axis=1)
    weights = pixels.weights.reshape(n, -1).astype("float64")
    values = xp.where(weights > 0, pixels.values.reshape(n, -1), 0).astype("float64")
    mass = weights.sum(axis=1)
    kept = mass > 0
    means = (values * weights).sum(axis=1) / xp.where(kept, mass, 1)
    return Elements(dice + means, as_weights(kept))


def _by_pixel(name: str, xp: ArrayModule, *arrays: Array, **given: Value) -> Array | Elements:
    """Another loss of these arrays, with its own defaults for what is not given."""
    item = REGISTRY[name]
    found: Array | Elements = item.kernel(xp, *arrays, **item.validate(given))
    return found


def _each_pixel(
    name: str, xp: ArrayModule, found: Masks, from_logits: bool, **given: Value
) -> Array | Elements:
    """A binary loss of every pixel of every mask."""
    y = found.y.astype("float64")
    values = _by_pixel(name, xp, found.given, y, from_logits=from_logits, **given)
    if found.keep is None:
        return values
    keep = xp.broadcast_to(found.keep, found.given.shape)
    return Elements(values, keep.astype("float64"))


_MASK_EXAMPLE = {
    "prediction": [[[0.75, 0.5], [0.25, 0.125]], [[0.5, 0.25], [0.5, 0.75]]],
    "target": [[[1, 1], [0, 0]], [[0, 0], [0, 1]]],
}


@loss(
    aliases=("bce_dice",),
    summary="Dice loss plus binary cross entropy",
    formula="dice + mean over pixels of bce, per sample; with classes each is a mask of its own",
    unit="nats",
    inputs=(PREDICTION, TARGET),
    params=(*_DICE, _logits("binary cross entropy"), *_COMMON),
    use=_USE.format("dice+0.7*bce") + ". For one mask, or for classes that may overlap.",
    traits=("imbalanced", "nonnegative"),
    reference="Isensee et al. 2018, nnU-Net, for the sum; Milletari et al. 2016, V-Net",
    example=Example(_MASK_EXAMPLE, 0.8256350668070387),
    conventions={
        "monai": Convention(
            "monai.losses.DiceCELoss",
            {"smooth": 1e-5, "pixel_logits": True, "axis": 1},
            note="of one channel; dice smoothed by 1e-5, of prediction as it is; bce of the same "
            "numbers as logits (from_logits=true is its sigmoid=True)",
        )
    },
)
def dice_bce(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    smooth: float,
    squared: bool,
    pixel_logits: bool,
    **params: Any,
) -> Array | Elements:
    found = masks(xp, prediction, target, multilabel=True, **params)
    pixels = _each_pixel("bce", xp, found, pixel_logits or params["from_logits"])
    return _sum(xp, _dice(xp, found, smooth, squared), pixels)


_CLASS_EXAMPLE = {
    "prediction": [
        [[0.75, 0.5, 0.0], [0.25, 0.5, 1.0]],
        [[0.5, 1.0, 0.75], [0.5, 0.0, 0.25]],
    ],
    "target": [[0, 1, 1], [0, 0, 0]],
}
_CLASS_TARGET = TARGET._replace(
    shape="(N, …) or (N, C, …)", help="class ids, or one mask for each class"
)
_CLASS_PREDICTION = Input("prediction", "(N, C, …) or (N, …, C)", PROBABILITY, unless="from_logits")


@loss(
    aliases=("ce_dice", "dice_cross_entropy"),
    summary="Dice loss plus cross entropy",
    formula="mean over classes of dice + mean over pixels of cross_entropy, per sample",
    unit="nats",
    inputs=(_CLASS_PREDICTION, _CLASS_TARGET),
    params=(*_DICE, LABEL_SMOOTHING, _logits("cross entropy"), *_COMMON),
    use=_USE.format("dice+0.7*cross_entropy") + ". label_smoothing is the cross entropy's alone.",
    traits=("imbalanced", "nonnegative"),
    reference="Isensee et al. 2018, nnU-Net: Self-adapting Framework for U-Net-Based Medical "
    "Image Segmentation",
    example=Example(_CLASS_EXAMPLE, 0.7459907033848611),
    conventions={
        "monai": Convention(
            "monai.losses.DiceCELoss",
            {"smooth": 1e-5, "pixel_logits": True, "axis": 1},
            note="dice smoothed by 1e-5, of prediction as it is; cross entropy of the same numbers "
            "as logits (from_logits=true is its softmax=True)",
        )
    },
)
def dice_ce(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    smooth: float,
    squared: bool,
    label_smoothing: float,
    pixel_logits: bool,
    **params: Any,
) -> Array | Elements:
    at = classes_on(tuple(prediction.shape), tuple(target.shape), params["axis"])
    if at is None or prediction.shape[at] == 1:
        raise InvalidInput(
            "prediction",
            None,
            f"{show_shape(tuple(prediction.shape))} is one mask for each sample",
            "give one probability for each class, or use dice_bce",
        )
    params["axis"] = at
    found = masks(xp, prediction, target, **params)
    params["from_logits"] |= pixel_logits
    pixels = _by_pixel(
        "cross_entropy", xp, prediction, target, label_smoothing=label_smoothing, **params
    )
    return _sum(xp, _dice(xp, found, smooth, squared), pixels)


@loss(
    aliases=("focal_dice",),
    summary="Dice loss plus focal loss",
    formula="mean over classes of dice + mean over pixels of binary_focal (one mask) or focal, per "
    "sample",
    unit="nats",
    inputs=(PREDICTION, TARGET),
    params=(
        *_DICE,
        Param("gamma", 2.0, "how much easy pixels are faded", least=0),
        Param(
            "alpha",
            None,
            "as binary_focal's for masks, focal's for classes",
            kind="numbers",
            least=0,
        ),
        Param(
            "one_vs_rest",
            False,
            "binary_focal of each class against the rest, and the mean over classes as well; its "
            "logits go through the sigmoid",
        ),
        _logits("focal loss"),
        *_COMMON,
    ),
    use=_USE.format("dice+0.7*focal") + ". For objects that are small and pixels that are hard.",
    traits=("imbalanced", "nonnegative"),
    reference="Zhu et al. 2019, AnatomyNet; Lin et al. 2017 for the focal loss",
    example=Example(_MASK_EXAMPLE, 0.47940583023593625),
    conventions={
        "monai": Convention(
            "monai.losses.DiceFocalLoss",
            {"smooth": 1e-5, "pixel_logits": True, "one_vs_rest": True, "axis": 1},
            note="dice smoothed by 1e-5, of prediction as it is; the focal loss of the same "
            "numbers as logits, each class against the rest; for targets of 0 and 1",
        )
    },
)
def dice_focal(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    smooth: float,
    squared: bool,
    gamma: float,
    alpha: float | tuple[float, ...] | None,
    one_vs_rest: bool,
    pixel_logits: bool,
    **params: Any,
) -> Array | Elements:
    found = masks(xp, prediction, target, **params)
    focusing: dict[str, Value] = {"gamma": gamma, "alpha": alpha}
    params["from_logits"] |= pixel_logits
    if one_vs_rest or found.p.shape[1] == 1:
        pixels = _each_pixel("binary_focal", xp, found, params["from_logits"], **focusing)
    else:
        params["axis"] = classes_on(tuple(prediction.shape), tuple(target.shape), params["axis"])
        pixels = _by_pixel("focal", xp, prediction, target, **focusing, **params)
    return _sum(xp, _dice(xp, found, smooth, squared), pixels)
