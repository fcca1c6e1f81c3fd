"""Class targets: the class axis, class ids, one-hot, class weights, ignored ids.

A target holds class ids, of prediction's shape without its class axis, or distributions over
the classes (one-hot or soft), of prediction's shape.
"""

from __future__ import annotations

from dataclasses import replace
from math import log, log1p
from typing import Any, NamedTuple

from lossctl.errors import SpecError
from lossctl.losses.definition import Array, ArrayModule, InvalidInput, Param
from lossctl.losses.domains import require
from lossctl.losses.shapes import show_shape

FROM_LOGITS = Param("from_logits", False, "prediction holds logits, not probabilities")
LABEL_SMOOTHING = Param(
    "label_smoothing",
    0.0,
    "the share of the target that is spread evenly over all classes",
    least=0,
    most=1,
)
CLASS_WEIGHTS = Param(
    "class_weights", None, "one weight for each class, in the mean", kind="numbers", least=0
)
IGNORE_INDEX = Param("ignore_index", None, "the class id to leave out", kind="integer")
AXIS = Param(
    "axis",
    None,
    "prediction's class axis (0 is the samples), where the shapes do not tell it",
    kind="integer",
)
CLIP = Param(
    "clip",
    0.0,
    "probabilities (but not those of logits) are clipped to [clip, 1 − clip]; or a list of the "
    "distances kept from 0 and from 1",
    kind="numbers",
    least=0,
    below=0.5,
)
CLIP_ALWAYS = replace(CLIP, help=CLIP.help.replace("but not", "also"))
CLIP_EPSILON = Param(
    "clip_epsilon", False, "clip at the machine epsilon of prediction's type, as if given as clip"
)
KERAS_CLIP = (1e-7, 2.0**-23)
"""Keras computes in float32, where 1 − 1e-7 is 1 − 2⁻²³."""


class Limits(NamedTuple):
    """How near probabilities come to 0 and to 1."""

    low: float
    high: float

    def clip_log(self, xp: ArrayModule, log_p: Array) -> Array:
        """log p with p clipped to [low, 1 − high]."""
        if self.low > 0:
            log_p = xp.maximum(log_p, log(self.low))
        return xp.minimum(log_p, log1p(-self.high)) if 1 - self.high < 1 else log_p

    @property
    def mirrored(self) -> Limits:
        """The limits of 1 − p."""
        return Limits(self.high, self.low)


NO_LIMITS = Limits(0.0, 0.0)


def limits(
    xp: ArrayModule, clip: float | tuple[float, ...], clip_epsilon: bool, dtype: Any
) -> Limits:
    """The limits that the parameters `clip` and `clip_epsilon` ask for.

    Raises:
        SpecError: The list has not two numbers.
    """
    if clip_epsilon:
        clip = float(xp.finfo(dtype).eps)
    if not isinstance(clip, tuple):
        return Limits(clip, clip)
    if len(clip) != 2:
        raise SpecError(
            f"clip must be a number or a list of two, not of {len(clip)}",
            "the distances kept from 0 and from 1, for example: clip=[1e-7,1e-7]",
        )
    return Limits(*clip)


def class_axis(
    prediction_shape: tuple[int, ...], target_shape: tuple[int, ...], axis: int | None, soft: bool
) -> int:
    """Find prediction's class axis, counted from 1 (the samples are axis 0).

    Args:
        prediction_shape: (n, …) with the class axis.
        target_shape: The same without it; with it where `soft`.
        axis: What the user said; None to find the one that fits.
        soft: Whether the target has the class axis too.

    Raises:
        InvalidInput: No axis fits, two fit, or the one given does not.
    """
    axes = range(1, len(prediction_shape))
    if soft:
        fits = list(axes) if prediction_shape == target_shape else []
        # an axis of length 1 holds no classes where another may
        fits = [at for at in fits if prediction_shape[at] > 1] or fits
    else:
        fits = [
            at for at in axes if prediction_shape[:at] + prediction_shape[at + 1 :] == target_shape
        ]
    shown = f"prediction {show_shape(prediction_shape)}"
    if not fits:
        raise InvalidInput(
            "target",
            None,
            f"{show_shape(target_shape)} does not fit {shown}",
            "class ids have prediction's shape without its class axis, one-hot or soft targets "
            "have its shape",
        )
    if axis is not None:
        found = axis + len(prediction_shape) if axis < 0 else axis
        if found not in fits and not (soft and found in axes):
            raise InvalidInput(
                "prediction",
                None,
                f"{show_shape(prediction_shape)} has no class axis {axis} beside "
                f"target {show_shape(target_shape)}",
                f"axis=0 is the samples; here axis may be {_either(fits)}",
            )
        return found
    if len(fits) > 1:
        raise InvalidInput(
            "prediction",
            None,
            f"{show_shape(prediction_shape)} may have its classes on axis {_either(fits)}",
            f"say on which: axis={fits[0]} or axis={fits[-1]}",
        )
    return fits[0]


def _either(axes: list[int]) -> str:
    return " or ".join(map(str, axes))


def classes_last(
    xp: ArrayModule, prediction: Array, target: Array, axis: int | None
) -> tuple[Array, Array, bool]:
    """Move the class axis to the end, where it is contiguous.

    Returns:
        prediction (n, …, C); target, class ids (n, …) or distributions (n, …, C); whether
        these are distributions. The target's dtype is left as it is.

    Raises:
        InvalidInput: The class axis is not to be found.
    """
    soft = target.ndim == prediction.ndim
    found = class_axis(tuple(prediction.shape), tuple(target.shape), axis, soft)
    if found != prediction.ndim - 1:
        prediction = xp.ascontiguousarray(xp.moveaxis(prediction, found, -1))
        if soft:
            target = xp.ascontiguousarray(xp.moveaxis(target, found, -1))
    return prediction, target, soft


def class_ids(
    xp: ArrayModule, target: Array, classes: int, ignore_index: int | None, name: str = "target"
) -> tuple[Array, Array | None]:
    """Class ids as int64, and which of them take part.

    NaN (let through to be propagated) becomes class 0: `with_unknown` puts it into the
    values that come of it.

    Returns:
        The ids, 0 where ignored; a boolean mask of those that are not, or None without
        `ignore_index`.

    Raises:
        InvalidInput: An id is negative, too large or fractional.
    """
    ids = target if target.dtype.kind == "f" else target.astype("int64", copy=False)
    keep = None if ignore_index is None else ids != ignore_index
    ids = ids if keep is None or bool(keep.all()) else xp.where(keep, ids, 0)
    if ids.dtype.kind == "f":
        require(
            xp,
            ids == xp.floor(ids),
            name,
            "has {value}, which is no class id",
            "class ids are whole numbers; one-hot or soft targets have prediction's shape",
            ids,
        )
        unknown = xp.isnan(ids)
        ids = xp.where(unknown, 0, ids) if bool(unknown.any()) else ids
    if ids.size and not (int(ids.min()) >= 0 and float(ids.max()) < classes):
        bad = (ids < 0) | (ids >= classes)
        value = float(ids[bad][0])
        raise InvalidInput(
            name,
            bad,
            f"has {{value}}, but prediction has classes 0 to {classes - 1}",
            "class ids count from 0: subtract 1 from ids that count from 1"
            if value == classes
            else f"class ids count from 0; if {value:g} marks what is to be left out, say so: "
            f"ignore_index={value:g}"
            if classes > 1
            else "for one probability per sample there are bce and the other binary losses",
        )
    return ids.astype("int64", copy=False), keep


def with_unknown(xp: ArrayModule, target: Array, values: Array) -> Array:
    """The values (n, …), NaN where the class id (n, …) is NaN."""
    if target.dtype.kind != "f":
        return values
    unknown = xp.isnan(target)
    return xp.where(unknown, xp.nan, values) if bool(unknown.any()) else values


def one_hot(xp: ArrayModule, ids: Array, classes: int, dtype: Any) -> Array:
    """Ids (n, …) as distributions (n, …, C)."""
    return (ids[..., None] == xp.arange(classes)).astype(dtype)


def at_class(xp: ArrayModule, values: Array, ids: Array, axis: int = -1) -> Array:
    """Of the values of all classes, on the first or the last axis, those of the `ids`."""
    if not values.flags.c_contiguous:
        picked = xp.take_along_axis(values, xp.expand_dims(ids, axis), axis=axis)
        return xp.squeeze(picked, axis)
    return xp.take(values.reshape(-1), places(xp, ids, values.shape[axis], axis))


def places(xp: ArrayModule, ids: Array, classes: int, axis: int) -> Array:
    """Where the `ids` stand in contiguous values of all classes, on the first or the last axis.

    One index into flat memory is several times as quick as an index for each axis.
    """
    order = xp.arange(ids.size).reshape(ids.shape)
    return ids * ids.size + order if axis == 0 else order * classes + ids


def each_class(
    xp: ArrayModule, numbers: tuple[float, ...] | float, classes: int, dtype: Any, name: str
) -> Array:
    """A parameter with one number for each class as an array (C,).

    Raises:
        InvalidInput: There are more or fewer numbers than classes.
    """
    listed = numbers if isinstance(numbers, tuple) else (numbers,)
    if len(listed) != classes:
        raise InvalidInput(
            "prediction",
            None,
            f"has {classes} classes, but {name} has {len(listed)}",
            f"give {name} one number for each class, in their order: {name}=[…]",
        )
    return xp.asarray(listed, dtype=dtype)
