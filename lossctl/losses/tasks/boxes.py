"""Boxes: corners (x₁, y₁, x₂, y₂) of a predicted box against the true one.

Differences of areas are summed from strips, which are never negative, so that nearly equal boxes
keep their digits.
"""

from __future__ import annotations

from math import pi
from typing import NamedTuple

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Domain,
    Example,
    Input,
    Param,
    loss,
)
from lossctl.losses.domains import require
from lossctl.losses.numerics import ratio
from lossctl.losses.shared import shared


def _check_corners(xp: ArrayModule, values: Array, name: str) -> None:
    low, high = values[..., :2], values[..., 2:]
    ordered = (low <= high) | (low != low) | (high != high)
    require(
        xp,
        xp.concatenate([ordered, ordered], axis=-1),
        name,
        "has a corner x₂ < x₁ or y₂ < y₁",
        "boxes are corners (x₁, y₁, x₂, y₂); of widths and heights (x, y, w, h) make x + w, y + h",
    )


_CORNERS = Domain("x₁ ≤ x₂, y₁ ≤ y₂", _check_corners)
_INPUTS = (
    Input("prediction", "(N, …, 4)", _CORNERS, help="x₁, y₁, x₂, y₂"),
    Input("target", "(N, …, 4)", _CORNERS, help="x₁, y₁, x₂, y₂"),
)
_EPSILON = Param("epsilon", 0.0, "added to each denominator", least=0)
_NO_AREA = "Of two boxes without area the IoU is 1 if they are equal, else 0"


class _Pair(NamedTuple):
    """What a pair of boxes has in common, each (n, …) of float64."""

    before: Array  # how far the prediction begins before the target, (2, n, …): in x and in y
    behind: Array  # how far it ends behind the target, likewise
    own: Array  # the sizes (2, n, …) of the prediction
    true: Array  # the sizes (2, n, …) of the target
    across: Array  # the sizes (2, n, …) of the smallest box around both
    shared: Array  # the intersection's area
    apart: Array  # the union's area without it
    meet: Array  # whether they have a point in common


@shared
def _pair(xp: ArrayModule, prediction: Array, target: Array) -> _Pair:
    p, t = (xp.moveaxis(item, -1, 0).astype("float64") for item in (prediction, target))
    start, end = t[:2] - p[:2], p[2:] - t[2:]
    own, true = p[2:] - p[:2], t[2:] - t[:2]
    inner = xp.minimum(p[2:], t[2:]) - xp.maximum(p[:2], t[:2])
    meet = (inner >= 0).all(axis=0)
    inner = xp.where(meet, inner, 0)
    around = xp.maximum(p[2:], t[2:]) - xp.minimum(p[:2], t[:2])
    apart: Array = 0.0
    for size, before, behind in ((own, start, end), (true, -start, -end)):
        # what is outside the intersection: a strip on each side, those in x of the full height
        beyond = xp.maximum(before, 0) + xp.maximum(behind, 0)
        strips = beyond[0] * size[1] + inner[0] * beyond[1]
        apart = apart + xp.where(meet, strips, size[0] * size[1])
    return _Pair(start, end, own, true, around, inner[0] * inner[1], apart, meet)


@shared
def _outside(xp: ArrayModule, pair: _Pair, epsilon: float) -> Array:
    """1 − IoU."""
    union = pair.shared + pair.apart
    values = ratio(xp, pair.apart + epsilon, union + epsilon)
    if epsilon:
        return values
    differ = ((pair.before != 0) | (pair.behind != 0)).any(axis=0)
    return xp.where(union == 0, differ.astype("float64"), values)


def _centre_distance(xp: ArrayModule, pair: _Pair, epsilon: float) -> Array:
    """The squared distance of the centres over the squared diagonal around both."""
    off = xp.square((pair.behind - pair.before) / 2).sum(axis=0)
    return ratio(xp, off, xp.square(pair.across).sum(axis=0) + epsilon)


_EXAMPLE = {
    "prediction": [[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 2.0]],
    "target": [[1.0, 1.0, 3.0, 3.0], [2.0, 0.0, 4.0, 1.0]],
}
_CONTRAST = {
    "prediction": [[0.0, 0.0, 0.25, 0.5], [0.0, 0.0, 0.25, 0.25]],
    "target": [[0.125, 0.125, 0.5, 0.25], [0.0, 0.0, 0.5, 0.25]],
}


@loss(
    aliases=("iou_loss", "box_iou"),
    summary="IoU loss of boxes: one minus the intersection over the union",
    formula="1 − |A ∩ B|/|A ∪ B|",
    inputs=_INPUTS,
    params=(_EPSILON,),
    use=f"What detection benchmarks count; 1 for all boxes that miss, however far. {_NO_AREA}.",
    traits=("bounded", "distance", "nonnegative", "symmetric", "zero"),
    reference="Yu et al. 2016, UnitBox, of whose −log IoU this is the linear form; Jaccard 1912",
    example=Example(_EXAMPLE, 13 / 14),
)
def iou_box(xp: ArrayModule, prediction: Array, target: Array, *, epsilon: float) -> Array:
    return _outside(xp, _pair(xp, prediction, target), epsilon)


@loss(
    aliases=("giou_loss", "generalized_box_iou"),
    summary="Generalized IoU loss: also how empty the box around both is",
    formula="1 − IoU + (|C| − |A ∪ B|)/|C|, C the smallest box around both",
    inputs=_INPUTS,
    params=(_EPSILON,),
    use=f"Boxes that may miss: it grows with the gap, to 2. A C without area adds 0. {_NO_AREA}.",
    traits=("bounded", "nonnegative", "symmetric", "zero"),
    reference="Rezatofighi et al. 2019, Generalized Intersection over Union",
    example=Example(_EXAMPLE, (68 / 63 + 1.5) / 2),
    contrast=_CONTRAST,
    conventions={
        "torchvision": Convention(
            "torchvision.ops.generalized_box_iou_loss",
            {"epsilon": 1e-7},
            note="1e-7 in each denominator; per box, here its mean",
        ),
        "monai": Convention(
            "monai.losses.BoxGIoULoss",
            {"epsilon": 2.0**-23},
            note="in float32, its machine epsilon in each denominator",
        ),
    },
)
def giou(xp: ArrayModule, prediction: Array, target: Array, *, epsilon: float) -> Array:
    pair = _pair(xp, prediction, target)
    whole = pair.across[0] * pair.across[1]
    # where they meet, what is empty is at corners: one box reaches further on each side of it
    empty: Array = 0.0
    for x in (pair.before[0], pair.behind[0]):
        for y in (pair.before[1], pair.behind[1]):
            empty = empty + xp.maximum(-x * y, 0)
    union = pair.shared + pair.apart
    empty = xp.where(pair.meet, empty, xp.maximum(whole - union, 0))
    return _outside(xp, pair, epsilon) + ratio(xp, empty, whole + epsilon)


@loss(
    aliases=("diou_loss", "distance_box_iou"),
    summary="Distance IoU loss: also how far the centres are apart",
    formula="1 − IoU + ρ²/c², ρ the distance of the centres, c the diagonal of the box around both",
    inputs=_INPUTS,
    params=(_EPSILON,),
    use="As giou, with a pull on the centres that is there inside a larger box too. "
    f"{_NO_AREA}; for two equal points ρ²/c² is 0.",
    traits=("bounded", "nonnegative", "symmetric", "zero"),
    reference="Zheng et al. 2020, Distance-IoU Loss",
    example=Example(_EXAMPLE, (6 / 7 + 1 / 9 + 1 + 6.5 / 20) / 2),
    contrast=_CONTRAST,
    conventions={
        "torchvision": Convention(
            "torchvision.ops.distance_box_iou_loss",
            {"epsilon": 1e-7},
            note="1e-7 in each denominator; per box, here its mean",
        )
    },
)
def diou(xp: ArrayModule, prediction: Array, target: Array, *, epsilon: float) -> Array:
    pair = _pair(xp, prediction, target)
    return _outside(xp, pair, epsilon) + _centre_distance(xp, pair, epsilon)


@loss(
    aliases=("ciou_loss", "complete_box_iou"),
    summary="Complete IoU loss: also how far the centres and the aspect ratios are apart",
    formula="1 − IoU + ρ²/c² + αv; v = 4/π² (atan w/h − atan w'/h')², α = v/(1 − IoU + v)",
    inputs=_INPUTS,
    params=(_EPSILON,),
    use=f"As diou, where the shape of the box matters too. {_NO_AREA}; a point has no aspect, and "
    "its v is 0.",
    traits=("nonnegative", "symmetric", "zero"),
    reference="Zheng et al. 2020, Distance-IoU Loss",
    example=Example(_EXAMPLE, 1.1586859373840013),
    contrast=_CONTRAST,
    conventions={
        "torchvision": Convention(
            "torchvision.ops.complete_box_iou_loss",
            {"epsilon": 1e-7},
            note="1e-7 in each denominator; NaN for a point; per box, here its mean",
        )
    },
)
def ciou(xp: ArrayModule, prediction: Array, target: Array, *, epsilon: float) -> Array:
    pair = _pair(xp, prediction, target)
    outside = _outside(xp, pair, epsilon)
    turn = xp.arctan2(*pair.own) - xp.arctan2(*pair.true)
    points = (pair.own == 0).all(axis=0) | (pair.true == 0).all(axis=0)
    v = xp.where(points, 0, (4 / pi**2) * xp.square(turn))
    alpha = ratio(xp, v, outside + v + epsilon)
    return outside + _centre_distance(xp, pair, epsilon) + alpha * v
