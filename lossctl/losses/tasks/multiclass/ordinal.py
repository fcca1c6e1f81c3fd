"""Ordered classes: near misses cost less than far ones."""

from __future__ import annotations

from typing import Any

from lossctl.losses.classes import (
    AXIS,
    CLASS_WEIGHTS,
    FROM_LOGITS,
    IGNORE_INDEX,
)
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    InvalidInput,
    Param,
    loss,
)
from lossctl.losses.numerics import (
    log_softmax,
    ordered_sum,
)
from lossctl.losses.tasks.multiclass.rows import (
    INPUTS,
    Chances,
    Numbers,
    arrange,
)

_ORDERED = (FROM_LOGITS, CLASS_WEIGHTS, IGNORE_INDEX, AXIS)


@loss(
    aliases=("ranked_probability_score",),
    summary="Ranked probability score",
    formula="Σ_k (Σ_{c≤k} (p_c − y_c))², over the classes in their order",
    inputs=INPUTS,
    params=(
        *_ORDERED,
        Param("first_class", 0, "the id of the first class", kind="integer", choices=(0, 1)),
    ),
    use="Probabilities of ordered classes: a near miss costs less than a far one. At most C − 1.",
    traits=("bounded", "calibration", "convex", "nonnegative", "ordinal", "proper", "zero"),
    reference="Epstein 1969, A scoring system for probability forecasts of ranked categories, "
    "J. Appl. Meteorol. 8",
    example=Example({"prediction": [[0.1, 0.2, 0.3, 0.4]], "target": [2]}, 0.26),
    conventions={
        "scoringrules": Convention(
            "scoringrules.rps_score",
            {"first_class": 1},
            note="class ids count from 1; a value for each row, here their mean",
        )
    },
)
def rps(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    first_class: int,
    **shared: Any,
) -> Array | Elements:
    if first_class and target.ndim < prediction.ndim:
        classes = prediction.size // max(target.size, 1)
        ignored = shared["ignore_index"]
        target = _from_zero(xp, target, classes, ignored)
        shared["ignore_index"] = None if ignored is None else ignored - 1
    return _cumulated(xp, prediction, target, **shared)


def _from_zero(xp: ArrayModule, target: Array, classes: int, ignore_index: int | None) -> Array:
    """Class ids that count from 1 as ids from 0.

    Raises:
        InvalidInput: An id is not among them.
    """
    ids = target if target.dtype.kind == "f" else target.astype("int64")
    bad = (ids < 1) | (ids > classes)
    if ignore_index is not None:
        bad &= ids != ignore_index
    if bool(bad.any()):
        raise InvalidInput(
            "target",
            bad,
            f"has {{value}}, but the classes count from 1 to {classes}",
            "say so where they count from 0: first_class=0",
        )
    return ids - 1


@loss(
    summary="Squared earth mover's distance",
    formula="Σ_k (Σ_{c≤k} (p_c − y_c))², y a distribution over ordered classes",
    inputs=INPUTS,
    params=_ORDERED,
    use="Ratings and other ordered classes judged by a whole distribution; it is not divided by C.",
    traits=("bounded", "convex", "nonnegative", "ordinal", "symmetric", "zero"),
    reference="Hou et al. 2016, Squared Earth Mover's Distance-based Loss for Training Deep "
    "Neural Networks",
    example=Example(
        {"prediction": [[0.1, 0.2, 0.3, 0.4]], "target": [[0.25, 0.25, 0.25, 0.25]]}, 0.085
    ),
)
def squared_emd(
    xp: ArrayModule, prediction: Array, target: Array, **params: Any
) -> Array | Elements:
    if target.ndim != prediction.ndim:
        raise InvalidInput(
            "target", None, "holds class ids; squared_emd takes distributions", "use rps"
        )
    return _cumulated(xp, prediction, target, **params)


def _cumulated(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    from_logits: bool,
    class_weights: Numbers,
    ignore_index: int | None,
    axis: int | None,
) -> Array | Elements:
    """Σ of the squared differences between the two cumulative distributions."""
    rows = arrange(xp, prediction, target, axis=axis, ignore_index=ignore_index)
    kind = "logits" if from_logits else "probabilities"
    chances, unknown = Chances(rows.scores, rows.along, kind).checked(xp, rows.keep)
    share = rows.shares(xp)
    if from_logits:
        log_p = log_softmax(xp, rows.scores, rows.along)
        # of a class that is certain 1 − p has all its digits
        gaps = xp.where(share == 1, xp.expm1(log_p), xp.exp(log_p) - share)
    else:
        gaps = chances.values - share
    squares = xp.square(xp.cumsum(gaps, axis=rows.along))
    values = ordered_sum(xp, squares, rows.along)
    return rows.result(xp, rows.with_unknown(xp, values, unknown), class_weights)
