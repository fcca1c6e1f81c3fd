"""Lovász extensions of the Jaccard loss: sums over sorted errors."""

from __future__ import annotations

from math import inf, nan

from lossctl.losses.classes import AXIS, FROM_LOGITS
from lossctl.losses.definition import (
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
    as_weights,
    classes_on,
    degrees,
    masks,
    mean_of_classes,
)

PER_IMAGE = Param("per_image", True, "the mean over images; false: all pixels as one image")
_MEMORY = "with per_image=false the sorted errors of all pixels"


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
    conventions={
        "smp": Convention(
            "segmentation_models_pytorch.losses.LovaszLoss",
            {"per_image": False},
            note="all pixels as one image",
            empty=0.0,
        )
    },
    whole_when=("per_image", False),
    memory=_MEMORY,
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
    inside, keep = degrees(xp, target, ignore_index, hard=True)
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
    conventions={
        "smp": Convention(
            "segmentation_models_pytorch.losses.LovaszLoss",
            {"per_image": False, "from_logits": True},
            note="logits; all pixels as one image",
        )
    },
    whole_when=("per_image", False),
    memory=_MEMORY,
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
    at = classes_on(tuple(prediction.shape), tuple(target.shape), axis)
    if at is None or prediction.shape[at] == 1:
        raise InvalidInput(
            "prediction",
            None,
            f"{show_shape(tuple(prediction.shape))} is one mask for each sample",
            "give one probability for each class; for one mask use lovasz_hinge with scores",
        )
    found = masks(
        xp,
        prediction,
        target,
        ignore_index=ignore_index,
        from_logits=from_logits,
        axis=at,
        hard=True,
    )
    y, kept = found.y, found.kept(xp)
    # a pixel that takes no part has the error 0 in every class, as one that is right has
    errors = xp.where(y, found.missing, found.p)
    if not per_image:
        errors, y = _one_image(errors), _one_image(y)
        kept = None if kept is None else kept.any(axis=0, keepdims=True)
    if classes == "present":
        kept = y.any(axis=-1)
    # class by class, for the memory that sorting takes
    values = [_lovasz(xp, errors[:, c], y[:, c]) for c in range(y.shape[1])]
    value, valued = mean_of_classes(xp, xp.stack(values, axis=-1), kept)
    return _valued(xp, value, valued, per_image)


def _valued(
    xp: ArrayModule, values: Array, kept: Array | None, per_image: bool
) -> Array | Elements:
    """Per image, those that are kept; of all pixels as one image, nothing if none is."""
    if kept is None:
        return values
    return Elements(values, as_weights(kept if per_image else kept.any(keepdims=True)))
