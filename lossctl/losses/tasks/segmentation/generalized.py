"""The generalized Dice loss: classes weighted by how rare they are in the target."""

from __future__ import annotations

from math import nan
from typing import Any

from lossctl.losses.classes import AXIS, FROM_LOGITS
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    Param,
    Sums,
    loss,
)
from lossctl.losses.numerics import ratio
from lossctl.losses.tasks.segmentation.masks import (
    BACKGROUND,
    IGNORE_INDEX,
    MULTILABEL,
    PREDICTION,
    TARGET,
    masks,
)
from lossctl.losses.tasks.segmentation.overlap import OVER, SMOOTH, missed_ratio, overlap_sums

_POWERS = {"square": 2, "simple": 1, "uniform": 0}


def _finish(
    xp: ArrayModule,
    sums: Array,
    mass: Array,
    *,
    weights: str,
    combine: str,
    smooth: float,
    epsilon: float,
    none_present: str,
    **_: Any,
) -> Array:
    """The loss of sums (…, C, 3), which are the class's size in the target and its overlap."""
    kept = mass[..., 0] > 0
    scale = _class_weights(xp, sums[..., 0], kept, _POWERS[weights], epsilon, none_present)
    if combine == "mean":
        own = xp.where(kept, sums[..., 1], 0) / xp.where(kept, mass[..., 1], 1)
        values = ratio(xp, (scale * own).sum(axis=-1), scale.sum(axis=-1))
    else:
        right, wrong = ((scale * sums[..., at]).sum(axis=-1) for at in (1, 2))
        values = missed_ratio(xp, right, wrong, smooth=smooth)
    return xp.where(kept.any(axis=-1), values, nan)


def _class_weights(
    xp: ArrayModule, size: Array, kept: Array, power: int, epsilon: float, none_present: str
) -> Array:
    """The weights (…, C) of classes of these sizes in the target; 0 where not kept."""
    scale = 1 / (size**power + epsilon)
    present = kept & xp.isfinite(scale)
    largest = xp.where(present, scale, 0).max(axis=-1, keepdims=True)
    if none_present == "equal":
        largest = xp.where(largest == 0, 1, largest)
    return xp.where(kept, xp.where(present, scale, largest), 0)


_EXAMPLE = {
    "prediction": [
        [[0.75, 0.5, 0.0], [0.25, 0.5, 1.0]],
        [[0.5, 1.0, 0.75], [0.5, 0.0, 0.25]],
    ],
    "target": [[0, 1, 1], [0, 0, 0]],
}


@loss(
    aliases=("gdl", "generalised_dice"),
    summary="Generalized Dice loss: the Dice loss of weighted sums over the classes",
    formula="1 − (2Σ_c w_c Σy_c p_c + s)/(Σ_c w_c (Σy_c + Σp_c) + s), w_c = 1/(Σy_c)²",
    inputs=(PREDICTION, TARGET),
    params=(
        Param(
            "weights",
            "square",
            "square: w_c = 1/(Σy_c)²; simple: 1/Σy_c; uniform: 1. A class that the target has not "
            "takes the largest finite weight",
            choices=tuple(_POWERS),
        ),
        SMOOTH,
        Param(
            "combine",
            "ratio",
            "ratio: one ratio of the weighted sums; mean: the weighted mean of the classes' own "
            "Dice losses, those of each sample",
            choices=("ratio", "mean"),
        ),
        Param("epsilon", 0.0, "added to (Σy_c)² in the weights", least=0),
        Param(
            "none_present",
            "equal",
            "a target without any of the classes: equal: all weigh the same; zero: they weigh "
            "nothing, and the loss is 0",
            choices=("equal", "zero"),
        ),
        OVER,
        BACKGROUND,
        MULTILABEL,
        IGNORE_INDEX,
        FROM_LOGITS,
        AXIS,
    ),
    use="Many classes of very different size in one figure. A class of a few pixels rules it, and "
    "one that is absent weighs as the rarest that is there.",
    traits=("imbalanced", "bounded", "nonnegative"),
    reference="Sudre et al. 2017, Generalised Dice overlap as a deep learning loss function; "
    "Crum, Camara & Hill 2006 for the weights",
    example=Example(_EXAMPLE, 37 / 136),
    contrast={
        "prediction": [[[0.75, 0.5], [0.25, 0.5]], [[0.5, 1.0], [0.5, 0.0]]],
        "target": [[[1, 1], [0, 0]], [[0, 1], [1, 0]]],
    },
    conventions={
        "monai": Convention(
            "monai.losses.GeneralizedDiceLoss",
            {"smooth": 1e-5, "none_present": "zero", "axis": 1},
            note="smoothed by 1e-5; 0 where the target has no class",
        ),
        "optax": Convention(
            "optax.losses.multiclass_generalized_dice_loss",
            {
                "combine": "mean",
                "over": "dataset",
                "epsilon": 1e-7,
                "smooth": 2.0,
                "from_logits": True,
                "axis": -1,
            },
            note="logits; the mean of the classes' Dice losses, smoothed by 1, weighted by their "
            "sizes in the whole batch",
        ),
    },
    finish=_finish,
    finish_when=("over", "dataset"),
)
def generalized_dice(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    over: str,
    combine: str,
    smooth: float,
    background: bool,
    multilabel: bool,
    ignore_index: int | None,
    from_logits: bool,
    axis: int | None,
    **weighting: Any,
) -> Elements | Sums:
    found = masks(
        xp,
        prediction,
        target,
        background=background,
        multilabel=multilabel,
        ignore_index=ignore_index,
        from_logits=from_logits,
        axis=axis,
    )
    tp, false, missed = xp.moveaxis(overlap_sums(xp, found), -1, 0)
    right, wrong = 2 * tp, false + missed
    if combine == "mean":
        right = missed_ratio(xp, right, wrong, smooth=smooth)
    size = found.y.sum(axis=-1, dtype="float64")
    sums = xp.stack([size, right, wrong], axis=-1)
    kept = found.kept(xp)
    mass = xp.ones(sums.shape) if kept is None else xp.broadcast_to(kept[..., None], sums.shape)
    if over == "dataset":
        return Sums(sums, None if kept is None else mass.astype("float64"))
    values = _finish(xp, sums, mass, combine=combine, smooth=smooth, **weighting)
    return Elements(values, (mass[..., 0] > 0).any(axis=-1).astype("float64"))
