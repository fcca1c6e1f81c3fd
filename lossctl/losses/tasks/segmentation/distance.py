"""Losses of distance maps: every pixel weighs by how far it lies from masks or objects."""

from __future__ import annotations

from math import inf
from typing import Any

from lossctl.losses.classes import AXIS, FROM_LOGITS, each_class
from lossctl.losses.classes import IGNORE_INDEX as IGNORED_ID
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
from lossctl.losses.domains import PROBABILITY, require
from lossctl.losses.numerics import weighed
from lossctl.losses.packages import need
from lossctl.losses.shapes import show_shape
from lossctl.losses.tasks.segmentation.masks import (
    BACKGROUND,
    MULTILABEL,
    PREDICTION,
    TARGET,
    Masks,
    classes_on,
    masks,
)

_PARAMS = (BACKGROUND, MULTILABEL, FROM_LOGITS, AXIS)


def _to_outside(xp: ArrayModule, inside: Array, loss: str) -> Array:
    """The distance (m, …) of each pixel of masks (m, …) to the nearest one outside its mask.

    It is 0 outside, and infinite where the mask has no outside.
    """
    ndimage = need(xp, "scipy.ndimage", "image", loss)
    found = xp.full(inside.shape, inf)
    # mask by mask: one transform of them all as layers far apart takes seven times as long
    for at in range(len(inside)):
        if not bool(inside[at].all()):
            found[at] = ndimage.distance_transform_edt(inside[at])
    return found


def _boundary_distances(xp: ArrayModule, inside: Array, loss: str) -> tuple[Array, Array]:
    """Of masks (m, …): inside the distance to the outside, outside that to the inside.

    Both are 0 for a mask of all pixels or of none, which has no boundary.
    """
    flat = inside.reshape(len(inside), -1)
    bounded = (flat.any(axis=1) & ~flat.all(axis=1)).reshape(-1, *[1] * (inside.ndim - 1))
    depth, gap = (_to_outside(xp, mask, loss) for mask in (inside, ~inside))
    return xp.where(bounded, depth, 0), xp.where(bounded, gap, 0)


def _maps(xp: ArrayModule, prediction: Array, target: Array, **params: Any) -> Masks:
    found = masks(xp, prediction, target, ignore_index=None, hard=True, **params)
    if not found.spatial:
        raise InvalidInput(
            "prediction",
            None,
            f"{show_shape(tuple(prediction.shape))} has no pixels between which to measure",
            "give masks (N, H, W), or (N, C, H, W) or (N, H, W, C) with classes",
        )
    return found


def _layers(array: Array, spatial: tuple[int, ...]) -> Array:
    """(n, C, P) as (n·C, *spatial)."""
    return array.reshape(-1, *spatial)


_MASK_EXAMPLE = {
    "prediction": [
        [[0.75, 0.25, 0.0], [0.5, 0.25, 0.75]],
        [[1.0, 0.25, 0.0], [0.0, 0.5, 0.0]],
    ],
    "target": [[[1, 1, 0], [1, 0, 0]], [[0, 0, 0], [0, 0, 0]]],
}


@loss(
    aliases=("hausdorff", "hausdorff_dt_loss"),
    summary="Hausdorff loss by distance transforms: errors weigh by their distance to the boundary",
    formula="mean over pixels of (y − p)² (d_p^α + d_y^α), d the distance to the boundary of "
    "p > ½ and of y",
    inputs=(PREDICTION, TARGET),
    params=(
        Param("alpha", 2.0, "the power of the distances", above=0),
        *_PARAMS,
    ),
    use="Outlines whose worst error counts: an island far away costs more than a ragged edge. The "
    "distance is to the nearest pixel of the other side, in pixels; a mask of all pixels or of "
    "none has no boundary and the distance 0. Needs SciPy.",
    traits=("nonnegative", "zero"),
    reference="Karimi & Salcudean 2019, Reducing the Hausdorff Distance in Medical Image "
    "Segmentation with Convolutional Neural Networks",
    example=Example(_MASK_EXAMPLE, 83 / 192),
    contrast={
        "prediction": [
            [[[0.7, 0.4], [0.2, 0.1], [0.1, 0.6]], [[0.3, 0.6], [0.8, 0.7], [0.9, 0.2]]]
        ],
        "target": [[[0, 0], [1, 1], [1, 1]]],
    },
    conventions={
        "monai": Convention(
            "monai.losses.HausdorffDTLoss",
            {"background": False, "axis": 1},
            note="without the first of several classes",
        )
    },
)
def hausdorff_dt(
    xp: ArrayModule, prediction: Array, target: Array, *, alpha: float, **params: Any
) -> Array:
    found = _maps(xp, prediction, target, **params)
    weight: Array = 0
    for inside in (found.p > 0.5, found.y):
        depth, gap = _boundary_distances(xp, _layers(inside, found.spatial), "hausdorff_dt")
        weight = weight + (depth + gap) ** alpha
    error = xp.where(found.y, found.missing, found.p).astype("float64")
    return xp.square(error) * weight.reshape(error.shape)


@loss(
    aliases=("boundary_loss", "surface"),
    summary="Boundary loss: the probability weighted by the signed distance to the true boundary",
    formula="mean over pixels of p·φ; φ is the distance to the mask outside it, 1 − the distance "
    "to the outside within",
    inputs=(PREDICTION, TARGET),
    params=_PARAMS,
    use="Added to a loss of the overlap where objects are tiny: mass far outside costs most. "
    "Negative for good masks; a target of all pixels or of none has φ = 0. Needs SciPy.",
    traits=(),
    reference="Kervadec et al. 2019, Boundary loss for highly unbalanced segmentation, with the "
    "level set of its published code",
    unit="pixels",
    example=Example(_MASK_EXAMPLE, 1 / 12),
    contrast={
        "prediction": [[[[0.7, 0.4], [0.2, 0.1]]], [[[0.3, 0.6], [0.8, 0.9]]]],
        "target": [[[[1, 1], [0, 0]]], [[[0, 0], [1, 0]]]],
    },
    conventions={
        "monai": Convention("monai.losses.BoundaryLoss", {"axis": 1}, note="distances in float32")
    },
)
def boundary(xp: ArrayModule, prediction: Array, target: Array, **params: Any) -> Array:
    found = _maps(xp, prediction, target, **params)
    depth, gap = _boundary_distances(xp, _layers(found.y, found.spatial), "boundary")
    level = xp.where(depth > 0, 1 - depth, gap).reshape(found.p.shape)
    return found.p * level


# ---- borders between objects -------------------------------------------------------------


def _objects(xp: ArrayModule, inside: Array) -> Array:
    """Of masks (n, …) the connected parts, numbered over all masks; 0 outside."""
    ndimage = need(xp, "scipy.ndimage", "image", "unet_weighted_ce")
    structure = ndimage.generate_binary_structure(inside.ndim, 1)
    structure[0] = structure[-1] = False  # no path leads from a sample to the next
    return ndimage.label(inside, structure)[0]


def _ranks(xp: ArrayModule, ids: Array) -> Array:
    """Ids (n, P) as the ranks 1, 2, … of each row's own ids; 0 stays 0."""
    n = len(ids)
    distinct, dense = xp.unique(ids, return_inverse=True)
    there = xp.zeros((n, len(distinct)), dtype=bool)
    dense = dense.reshape(ids.shape)
    there[xp.arange(n)[:, None], dense] = True
    rank = xp.cumsum(there & (distinct != 0), axis=1)
    return xp.where(ids == 0, 0, xp.take_along_axis(rank, dense, axis=1))


def _two_nearest(xp: ArrayModule, rank: Array, spatial: tuple[int, ...]) -> tuple[Array, Array]:
    """The distances (n, P) to the nearest object and to the one after it; infinite if none."""
    first = second = xp.full(rank.shape, inf)
    for k in range(1, int(rank.max()) + 1):
        outside = (rank != k).reshape(-1, *spatial)
        found = _to_outside(xp, outside, "unet_weighted_ce").reshape(rank.shape)
        second = xp.minimum(second, xp.maximum(first, found))
        first = xp.minimum(first, found)
    return first, second


def _instances(xp: ArrayModule, instances: Array | None, target: Array, keep: Array) -> Array:
    """The objects' numbers (n, …), 0 for what is none."""
    if instances is None:
        return _objects(xp, (target != 0) & (target == target) & keep)
    known = (instances >= 0) & (instances == xp.floor(instances))
    require(
        xp,
        known,
        "instances",
        "has {value}, which numbers no object",
        "objects are numbered from 1, and 0 is the background",
        instances,
    )
    return xp.where(instances == instances, instances, 0)


_BORDER_TARGET = [[1, 0, 0, 1, 1]]


@loss(
    aliases=("unet_weighted_cross_entropy",),
    summary="U-Net's weighted cross entropy: the gaps between objects weigh more",
    formula="mean over pixels of −w log p_y; w = w_y + w₀ exp(−(d₁ + d₂)²/2σ²) on the background, "
    "w_y on objects",
    unit="nats",
    inputs=(
        Input("prediction", "(N, C, …) or (N, …, C)", PROBABILITY, unless="from_logits"),
        Input("target", "(N, …)", labels=True, help="class ids; 0 is the background"),
        Input(
            "instances",
            "(N, …)",
            optional=True,
            labels=True,
            help="the objects' numbers, 0 for the background; by default the parts of target ≠ 0 "
            "that hang together along edges",
        ),
    ),
    params=(
        Param("w0", 10.0, "the weight where two objects touch", least=0),
        Param("sigma", 5.0, "how fast it falls with the gap", unit="pixels", above=0),
        Param(
            "class_weights",
            None,
            "w_y, one weight for each class; 1 by default. Part of the loss, as the gaps' weights: "
            "the mean divides by the pixels",
            kind="numbers",
            least=0,
        ),
        IGNORED_ID,
        FROM_LOGITS,
        AXIS,
    ),
    use="Cells that touch and must be told apart. d₁ and d₂ are the distances in pixels to the two "
    "nearest objects; an image with fewer than two has no gaps. Needs SciPy.",
    traits=("proper", "nonnegative"),
    reference="Ronneberger, Fischer & Brox 2015, U-Net",
    example=Example(
        {
            "prediction": [
                [[[0.5, 0.5, 0.5, 0.5, 0.5]], [[0.5, 0.5, 0.5, 0.5, 0.5]]],
                [[[0.25, 0.5, 0.25, 0.25, 0.5]], [[0.75, 0.5, 0.75, 0.75, 0.5]]],
            ],
            "target": [_BORDER_TARGET, [[0, 0, 1, 1, 0]]],
        },
        1.8392992610851722,
    ),
)
def unet_weighted_ce(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    instances: Array | None = None,
    *,
    w0: float,
    sigma: float,
    class_weights: float | tuple[float, ...] | None,
    ignore_index: int | None,
    from_logits: bool,
    axis: int | None,
) -> Array | Elements:
    at = classes_on(tuple(prediction.shape), tuple(target.shape), axis)
    if at is None or target.ndim == prediction.ndim or target.ndim < 2:
        raise InvalidInput(
            "target",
            None,
            f"{show_shape(tuple(target.shape))} is no map of class ids",
            "prediction is (N, C, H, W) or (N, H, W, C), target (N, H, W) with an id a pixel",
        )
    entropy = REGISTRY["cross_entropy"]
    params = {"from_logits": from_logits, "axis": at, "ignore_index": ignore_index}
    found = entropy.kernel(xp, prediction, target, **entropy.validate(params))
    costs = found.values if isinstance(found, Elements) else found
    keep = target == target if ignore_index is None else target != ignore_index
    numbers = _instances(xp, instances, target, keep)
    rank = _ranks(xp, numbers.reshape(len(numbers), -1))
    first, second = _two_nearest(xp, rank, tuple(target.shape[1:]))
    gap = w0 * xp.exp(-xp.square(first + second) / (2 * sigma**2))
    weight = xp.where(rank == 0, gap, 0).reshape(target.shape)
    if class_weights is None:
        weight = weight + 1
    else:
        own = each_class(xp, class_weights, prediction.shape[at], "float64", "class_weights")
        ids = xp.where(keep & (target == target), target, 0).astype("int64")
        weight = weight + own[ids]
    values = weighed(xp, weight, costs)
    return Elements(values, keep.astype("float64")) if ignore_index is not None else values
