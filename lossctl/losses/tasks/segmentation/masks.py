"""The shapes that segmentation takes, brought into one: a mask for each sample and class."""

from __future__ import annotations

from math import nan
from typing import NamedTuple

from lossctl.losses.classes import class_axis, class_ids
from lossctl.losses.definition import Array, ArrayModule, Input, InvalidInput, Param
from lossctl.losses.domains import PROBABILITY, require, within_unit
from lossctl.losses.numerics import ratio, sigmoid
from lossctl.losses.shared import shared

BACKGROUND = Param("background", True, "false: class 0 is left out")
MULTILABEL = Param(
    "multilabel",
    False,
    "each class is a mask of its own: the classes may overlap, and logits go through the sigmoid",
)
IGNORE_INDEX = Param(
    "ignore_index",
    None,
    "the target value to leave out; a class of this id is left out of the average too",
    kind="integer",
)
TARGET = Input(
    "target", "(N, …)", labels=True, help="a mask of 0 to 1; class ids; or one mask for each class"
)
PREDICTION = Input(
    "prediction", "(N, C, …) or (N, …, C) or (N, …)", PROBABILITY, unless="from_logits"
)


class Masks(NamedTuple):
    """Flat masks (n, C, P): C is 1 for one mask for each sample, P are the pixels."""

    given: Array  # the prediction as it came
    p: Array  # the probability; 0 where the pixel takes no part
    lack: Array | None  # 1 − p, accurate where p is nearly 1, and as p; None if p says it all
    y: Array  # the target: boolean, or floats from 0 to 1; 0 where the pixel takes no part
    keep: Array | None  # which pixels take part, (n, C or 1, P); None for all
    spatial: tuple[int, ...]  # the shape of the P pixels

    @property
    def missing(self) -> Array:
        """1 − p; 0 where the pixel takes no part."""
        return 1 - self.p if self.lack is None else self.lack

    def kept(self, xp: ArrayModule) -> Array | None:
        """Which masks (n, C) have a pixel that takes part; None for all."""
        if self.keep is None:
            return None
        return xp.broadcast_to(self.keep.any(axis=-1), self.p.shape[:2])

    def without_background(self) -> Masks:
        """The classes but the first; one mask for each sample stays."""
        if self.p.shape[1] == 1:
            return self
        keep = self.keep if self.keep is None or self.keep.shape[1] == 1 else self.keep[:, 1:]
        return self._replace(
            given=self.given[:, 1:],
            p=self.p[:, 1:],
            lack=None if self.lack is None else self.lack[:, 1:],
            y=self.y[:, 1:],
            keep=keep,
        )


@shared
def masks(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    ignore_index: int | None,
    from_logits: bool,
    axis: int | None,
    background: bool = True,
    multilabel: bool = False,
    hard: bool = False,
) -> Masks:
    """Bring every shape that the task takes into one.

    Raises:
        InvalidInput: The class axis is not to be found, or the target holds what is no class
            or no share of one; where `hard`, no 0 or 1.
    """
    at = classes_on(tuple(prediction.shape), tuple(target.shape), axis)
    n, one_mask = prediction.shape[0], at is None or prediction.shape[at] == 1
    classes = 1 if one_mask else prediction.shape[at]

    def flat(array: Array) -> Array:
        """(n, …) as (n, C, P), or (n, 1, P) without a class axis."""
        if one_mask or array.ndim < prediction.ndim:
            return array.reshape(n, 1, -1)
        return xp.ascontiguousarray(xp.moveaxis(array, at, 1)).reshape(n, classes, -1)

    target = target.astype("float32") if target.dtype == "float16" else target
    given = flat(prediction)
    p, lack = given, None
    if from_logits:
        p, lack = _probabilities(xp, given, one_mask or multilabel)
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
        shares, keep = degrees(xp, target, ignore_index, hard)
        y = flat(shares)
    if keep is not None:
        keep = flat(keep)
        if ids and ignore_index in range(classes):
            keep = keep & (xp.arange(classes) != ignore_index)[:, None]
        lack = xp.where(keep, 1 - p if lack is None else lack, 0)
        p = xp.where(keep, p, 0)
        y = y & keep if y.dtype.kind == "b" else xp.where(keep, y, 0)
    spatial = tuple(prediction.shape[1:])
    if at is not None:
        spatial = (*spatial[: at - 1], *spatial[at:])
    found = Masks(given, p, lack, y, keep, spatial)
    return found if background else found.without_background()


def classes_on(
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


def degrees(
    xp: ArrayModule, target: Array, ignore_index: int | None, hard: bool
) -> tuple[Array, Array | None]:
    """Masks from 0 to 1, and which pixels to keep; booleans where whole or to be `hard`."""
    keep = None if ignore_index is None else target != ignore_index
    whole = target.dtype.kind in "iub"
    hard = hard or whole
    if (hard and not whole) or not within_unit(target):
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


def _probabilities(xp: ArrayModule, given: Array, each: bool) -> tuple[Array, Array]:
    """Probabilities (n, C, P) of logits and their complements, by `each` mask or over C."""
    if each:
        return sigmoid(xp, given), sigmoid(xp, -given)
    # in float64: a difference of float32 logits is rounded to more than exp forgives
    scores = given.astype("float64", copy=False)
    p = xp.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    likely = p > 0.5
    others = xp.where(likely, 0, p).sum(axis=1, keepdims=True)
    return p, xp.where(likely, others, 1 - p)


def mean_of_classes(
    xp: ArrayModule, values: Array, kept: Array | None
) -> tuple[Array, Array | None]:
    """The mean over the classes, the last axis, that are kept, and whether any is."""
    if kept is None:
        return values.mean(axis=-1), None
    total = xp.where(kept, values, 0).sum(axis=-1)
    return ratio(xp, total, kept.sum(axis=-1)), kept.any(axis=-1)


def as_weights(kept: Array | None) -> Array | None:
    """Weights of 0 and 1, or None."""
    return None if kept is None else kept.astype("float64")
