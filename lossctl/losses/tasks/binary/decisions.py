"""Right or wrong: the Brier score of probabilities, and the share of wrong decisions."""

from __future__ import annotations

from math import inf, log

from lossctl.losses.classes import (
    AXIS,
    FROM_LOGITS,
    IGNORE_INDEX,
    class_ids,
    classes_last,
    one_hot,
    with_unknown,
)
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Domain,
    Elements,
    Example,
    Input,
    InvalidInput,
    Param,
    loss,
)
from lossctl.losses.domains import PROBABILITY, UNIT, require
from lossctl.losses.numerics import ordered_sum
from lossctl.losses.shapes import show_shape
from lossctl.losses.tasks.binary.parts import kept, of_kept

_CLASS_SHAPES = {
    "prediction": "(N, …) or (N, C, …) or (N, …, C)",
    "target": "(N, …) or (N, C, …)",
}


@loss(
    summary="Brier score",
    formula="(p − y)²; for (N, C) Σ_c (p_c − y_c)²",
    curve="probability",
    inputs=(
        Input("prediction", _CLASS_SHAPES["prediction"], domain=PROBABILITY),
        Input(
            "target",
            _CLASS_SHAPES["target"],
            labels=True,
            help="0 and 1 or probabilities of prediction's shape, or class ids",
        ),
    ),
    params=(
        IGNORE_INDEX,
        AXIS,
        Param(
            "multilabel",
            False,
            "the columns of (N, C) are events of their own: their mean, not their sum",
        ),
        Param(
            "halve_two", False, "half the sum over two classes, which is the score of one column"
        ),
    ),
    use="Probabilities that must be right, without the infinities of log loss; slow to notice "
    "errors about rare events.",
    traits=("bounded", "convex", "proper", "calibration", "nonnegative", "zero"),
    reference="Brier 1950, Verification of forecasts expressed in terms of probability, "
    "Mon. Weather Rev. 78",
    example=Example({"prediction": [0.4, 0.9, 0.2], "target": [0, 1, 1]}, 0.27),
    conventions={
        "sklearn": Convention(
            "sklearn.metrics.brier_score_loss",
            {"halve_two": True},
            note="halves the sum over two classes, not over more",
        ),
        "scoringrules": Convention(
            "scoringrules.brier_score",
            {"multilabel": True},
            note="each column is an event of its own; targets 0 and 1 only; per element, here "
            "its mean",
        ),
    },
    contrast={"prediction": [[0.4, 0.6], [0.9, 0.1]], "target": [[0, 1], [0, 1]]},
)
def brier(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    ignore_index: int | None,
    axis: int | None,
    multilabel: bool,
    halve_two: bool,
) -> Array | Elements:
    if multilabel:
        _need_one_shape(prediction, target, "multilabel=true")
    if multilabel or _is_elementwise(prediction, target, axis):
        target, keep = kept(xp, target, ignore_index)
        return of_kept(xp.square(prediction - _shares(xp, target, prediction)), keep)
    prediction, target, soft = classes_last(xp, prediction, target, axis)
    classes = prediction.shape[-1]
    keep = None
    if soft:
        squares = xp.square(prediction - _shares(xp, target, prediction))
        values = ordered_sum(xp, squares)
    else:
        ids, keep = class_ids(xp, target, classes, ignore_index)
        squares = xp.square(prediction - one_hot(xp, ids, classes, prediction.dtype))
        values = with_unknown(xp, target, ordered_sum(xp, squares))
    return of_kept(values * 0.5 if halve_two and classes == 2 else values, keep)


def _shares(xp: ArrayModule, target: Array, prediction: Array) -> Array:
    """A target of prediction's shape, in its dtype."""
    UNIT.check(xp, target, "target")
    return target.astype(prediction.dtype, copy=False)


def _is_elementwise(prediction: Array, target: Array, axis: int | None) -> bool:
    """Whether each element is a probability of its own, with no axis of classes."""
    return bool(prediction.ndim == target.ndim != 2 and axis is None)


def _need_one_shape(prediction: Array, target: Array, what: str) -> None:
    if prediction.shape != target.shape:
        raise InvalidInput(
            "target",
            None,
            f"{show_shape(tuple(target.shape))} is not of prediction's shape "
            f"{show_shape(tuple(prediction.shape))}, as {what} wants it",
        )


# What may be in it depends on what it is, which the kernel knows.
_DECIDED = Domain(
    "[0, 1]; any scores of classes; any labels with hard", lambda xp, values, name: None
)
_THRESHOLD = Param(
    "threshold", 0.5, "the probability from which on class 1 is predicted", least=0, most=1
)
_HARD = Param("hard", False, "prediction holds labels, which are right where they equal target's")


def _check_labels(xp: ArrayModule, target: Array) -> None:
    require(
        xp,
        (target == 0) | (target == 1),
        "target",
        "has {value}, neither 0 nor 1",
        "a decision is right or wrong of hard targets only",
        target,
    )


def _is_yes(xp: ArrayModule, prediction: Array, threshold: float, from_logits: bool) -> Array:
    """Where class 1 is predicted."""
    if not from_logits:
        PROBABILITY.check(xp, prediction, "prediction")
        return prediction >= threshold
    limits = {0.0: -inf, 1.0: inf}
    limit = limits[threshold] if threshold in limits else log(threshold / (1 - threshold))
    return prediction.astype("float64", copy=False) >= limit


def _flagged(xp: ArrayModule, wrong: Array, *unknown: Array) -> Array:
    """1 where `wrong`, else 0; NaN where it is unknown."""
    values = wrong.astype("float64")
    for where in unknown:
        values = xp.where(where, xp.nan, values)
    return values


def _decisions(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    threshold: float,
    from_logits: bool,
    hard: bool,
    ignore_index: int | None,
) -> tuple[Array, Array | None]:
    """By element: 1 where the decision is wrong, else 0; and what takes part (None: all)."""
    unknown = [prediction != prediction, target != target]  # where they are NaN
    if hard:
        _need_one_shape(prediction, target, "hard=true")
        keep = None if ignore_index is None else target != ignore_index
        return _flagged(xp, prediction != target, *unknown), keep
    target, keep = kept(xp, target, ignore_index)
    _check_labels(xp, target)
    yes = _is_yes(xp, prediction, threshold, from_logits)
    return _flagged(xp, yes != (target == 1), *unknown), keep


@loss(
    summary="Zero-one loss: the error rate",
    formula="1 where the class is wrong, else 0: p ≥ threshold is class 1; for (N, C) the class is "
    "the first of the largest",
    curve="probability",
    inputs=(
        Input("prediction", _CLASS_SHAPES["prediction"], domain=_DECIDED, unless="from_logits"),
        Input(
            "target",
            _CLASS_SHAPES["target"],
            labels=True,
            help="0 and 1, class ids, or one-hot of prediction's shape",
        ),
    ),
    params=(_THRESHOLD, FROM_LOGITS, _HARD, IGNORE_INDEX, AXIS),
    use="1 − accuracy. It says how often, not how far; where one class is rare, predicting the "
    "other always looks good. With hard=true prediction holds labels, and a sample of several "
    "is wrong unless all agree.",
    traits=("bounded", "nonnegative", "zero"),
    reference="Friedman 1997, On bias, variance, 0/1-loss, and the curse-of-dimensionality, "
    "Data Mining and Knowledge Discovery 1",
    example=Example({"prediction": [0.4, 0.9, 0.2, 0.5], "target": [0, 1, 1, 1]}, 0.25),
    conventions={
        "sklearn": Convention(
            "sklearn.metrics.zero_one_loss",
            {"hard": True},
            note="takes labels; a row of (N, C) is wrong unless all of its labels agree",
        ),
    },
    contrast={"prediction": [[1, 0], [1, 1], [1, 0]], "target": [[1, 0], [1, 0], [0, 1]]},
)
def zero_one(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    threshold: float,
    from_logits: bool,
    hard: bool,
    ignore_index: int | None,
    axis: int | None,
) -> Array | Elements:
    if hard or _is_elementwise(prediction, target, axis):
        rule = (threshold, from_logits, hard, ignore_index)
        wrong, keep = _decisions(xp, prediction, target, *rule)
        return _any_of_sample(xp, wrong, keep) if hard else of_kept(wrong, keep)
    prediction, target, soft = classes_last(xp, prediction, target, axis)
    if prediction.shape[-1] == 1:  # one column is no choice among classes
        one = (prediction[..., 0], target[..., 0] if soft else target)
        return of_kept(*_decisions(xp, *one, threshold, from_logits, hard, ignore_index))
    chosen, unknown = prediction.argmax(axis=-1), (prediction != prediction).any(axis=-1)
    if soft:
        _check_one_hot(xp, target)
        return _flagged(xp, chosen != target.argmax(axis=-1), unknown, (target != target).any(-1))
    ids, keep = class_ids(xp, target, prediction.shape[-1], ignore_index)
    return of_kept(_flagged(xp, chosen != ids, unknown, target != target), keep)


def _any_of_sample(xp: ArrayModule, wrong: Array, keep: Array | None) -> Array | Elements:
    """By sample: 1 where one of its labels is wrong, else 0."""
    wrong = wrong.reshape(len(wrong), -1)
    if keep is None:
        return wrong.max(axis=1)
    keep = keep.reshape(len(keep), -1)
    return of_kept(xp.where(keep, wrong, 0).max(axis=1), keep.any(axis=1))


def _check_one_hot(xp: ArrayModule, target: Array) -> None:
    binary = (target == 0) | (target == 1)
    unknown = target != target
    single = (target == 1).sum(axis=-1) == 1
    require(
        xp,
        (binary.all(axis=-1) & single) | unknown.any(axis=-1),
        "target",
        "is not one-hot",
        "for several labels of a sample there is hamming, and hard=true for labels as they are",
    )


@loss(
    summary="Hamming loss: the share of wrong labels",
    formula="1 where a label is wrong, else 0, and the mean of all labels; p ≥ threshold is a 1",
    curve="probability",
    inputs=(
        Input("prediction", domain=_DECIDED, unless="from_logits"),
        Input("target", labels=True, help="0 and 1; with hard any labels"),
    ),
    params=(_THRESHOLD, FROM_LOGITS, _HARD, IGNORE_INDEX),
    use="Several labels at once, each right or wrong by itself; where most labels are 0, "
    "predicting none looks good. For one label it is zero_one.",
    traits=("bounded", "multilabel", "nonnegative", "zero"),
    reference="Schapire & Singer 1999, Improved boosting algorithms, Machine Learning 37",
    example=Example(
        {"prediction": [[0.4, 0.9, 0.2], [0.5, 0.1, 0.8]], "target": [[0, 1, 1], [1, 0, 1]]},
        1 / 6,
    ),
    conventions={
        "sklearn": Convention("sklearn.metrics.hamming_loss", {"hard": True}, note="takes labels"),
    },
    contrast={"prediction": [1, 0, 0.5], "target": [1, 1, 1]},
)
def hamming(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    threshold: float,
    from_logits: bool,
    hard: bool,
    ignore_index: int | None,
) -> Array | Elements:
    rule = (threshold, from_logits, hard, ignore_index)
    return of_kept(*_decisions(xp, prediction, target, *rule))
