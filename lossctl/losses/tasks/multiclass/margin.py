"""Scores of classes, of which only differences count: margins, projections and ranks."""

from __future__ import annotations

from lossctl.losses.classes import AXIS, CLASS_WEIGHTS, IGNORE_INDEX, at_class
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    Param,
    loss,
)
from lossctl.losses.numerics import ordered_sum, weighed
from lossctl.losses.tasks.multiclass.rows import (
    DIVIDE_BY,
    HARD_TARGET,
    SCORES,
    TARGET,
    Numbers,
    arrange,
)

# Scores are computed with in float64: float32 differences of nearly equal ones have few digits.

_INPUTS = (SCORES, TARGET)
_HARD_INPUTS = (SCORES, HARD_TARGET)
_PARAMS = (CLASS_WEIGHTS, IGNORE_INDEX, AXIS)
_MARGIN = Param("margin", 1.0, "how far the target's score must lead", least=0)
_EXAMPLE = {"prediction": [[2.0, 1.5, -1.0], [0.5, 0.25, 1.0]], "target": [0, 1]}
_PER_ROW = "a value for each row, here their mean"


@loss(
    summary="Categorical hinge loss",
    formula="max(0, 1 + max_c (1 − y_c) z_c − Σ_c y_c z_c); the maximum is of 0 at least",
    inputs=_INPUTS,
    params=_PARAMS,
    use="As Keras has it: where all other scores are below 0 the target's need only be 1. It "
    "depends on the scores' origin; crammer_singer does not.",
    traits=("convex", "nonnegative"),
    reference="As keras.losses.CategoricalHinge",
    example=Example(_EXAMPLE, 1.125),
    conventions={
        "keras": Convention(
            "keras.losses.CategoricalHinge", note="in float32", multiplies=True, empty=0.0
        )
    },
)
def categorical_hinge(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    class_weights: Numbers,
    ignore_index: int | None,
    axis: int | None,
) -> Array | Elements:
    rows = arrange(xp, prediction, target, axis=axis, ignore_index=ignore_index)
    share = rows.shares(xp)
    own = ordered_sum(xp, weighed(xp, share, rows.scores), rows.along)
    others = weighed(xp, 1 - share, rows.scores).max(axis=rows.along)
    values = rows.with_unknown(xp, xp.maximum((others - own) + 1, 0))
    return rows.result(xp, values, class_weights)


@loss(
    aliases=("multiclass_hinge",),
    summary="Multi-class hinge loss of Crammer and Singer",
    formula="max(0, m + max_{j≠y} z_j − z_y)",
    inputs=_HARD_INPUTS,
    params=(_MARGIN, *_PARAMS),
    use="Scores of a margin classifier; only the strongest rival counts.",
    traits=("convex", "nonnegative", "shift"),
    reference="Crammer & Singer 2001, On the Algorithmic Implementation of Multiclass "
    "Kernel-based Vector Machines, JMLR 2",
    example=Example(_EXAMPLE, 1.125),
    conventions={
        "sklearn": Convention("sklearn.metrics.hinge_loss", note="as here, of three classes on"),
        "optax": Convention("optax.losses.multiclass_hinge_loss", note=_PER_ROW),
    },
)
def crammer_singer(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    margin: float,
    class_weights: Numbers,
    ignore_index: int | None,
    axis: int | None,
) -> Array | Elements:
    rows = arrange(xp, prediction, target, axis=axis, ignore_index=ignore_index, hard=True)
    rivals = xp.where(rows.is_target(xp), -xp.inf, rows.scores).max(axis=rows.along)
    values = xp.maximum((rivals - rows.own(xp, rows.scores)) + margin, 0)
    return rows.result(xp, rows.with_unknown(xp, values), class_weights)


@loss(
    summary="Multi-class margin loss of all rivals",
    formula="Σ_{j≠y} max(0, m + z_j − z_y)^p / C",
    inputs=_HARD_INPUTS,
    params=(
        Param("p", 1, "the exponent", kind="integer", choices=(1, 2)),
        _MARGIN,
        CLASS_WEIGHTS,
        DIVIDE_BY,
        IGNORE_INDEX,
        AXIS,
    ),
    use="As crammer_singer, where every rival within the margin counts; divided by C, not C − 1.",
    traits=("convex", "nonnegative", "shift"),
    reference="Weston & Watkins 1999, Support Vector Machines for Multi-Class Pattern "
    "Recognition; divided as in torch.nn.functional.multi_margin_loss",
    example=Example(_EXAMPLE, 3.5 / 6),
    conventions={
        "torch": Convention(
            "torch.nn.functional.multi_margin_loss",
            {"divide_by": "count"},
            note="differs with class_weights alone, where the mean divides by the count",
        )
    },
)
def multi_margin(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    p: int,
    margin: float,
    class_weights: Numbers,
    divide_by: str,
    ignore_index: int | None,
    axis: int | None,
) -> Array | Elements:
    rows = arrange(xp, prediction, target, axis=axis, ignore_index=ignore_index, hard=True)
    lead = rows.among(xp, rows.own(xp, rows.scores)) - rows.scores
    terms = xp.where(rows.is_target(xp), 0, xp.maximum(margin - lead, 0) ** p)
    values = ordered_sum(xp, terms, rows.along) / rows.classes
    # a NaN at the target's place spreads to all terms but its own
    values = rows.with_unknown(xp, values, rows.no_scores(xp))
    return rows.result(xp, values, class_weights, divide_by)


@loss(
    summary="Multi-class perceptron loss",
    formula="max_c z_c − Σ_c y_c z_c",
    inputs=_INPUTS,
    params=_PARAMS,
    use="How far the target's score is behind the highest; a lead of any size costs nothing.",
    traits=("convex", "nonnegative", "shift"),
    reference="Collins 2002, Discriminative Training Methods for Hidden Markov Models, EMNLP",
    example=Example(_EXAMPLE, 0.375),
    conventions={"optax": Convention("optax.losses.multiclass_perceptron_loss", note=_PER_ROW)},
)
def multiclass_perceptron(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    class_weights: Numbers,
    ignore_index: int | None,
    axis: int | None,
) -> Array | Elements:
    rows = arrange(xp, prediction, target, axis=axis, ignore_index=ignore_index)
    behind = rows.among(xp, rows.scores.max(axis=rows.along)) - rows.scores
    if rows.share is None:
        values = rows.own(xp, behind)
    else:
        values = ordered_sum(xp, weighed(xp, rows.share, behind), rows.along)
    return rows.result(xp, rows.with_unknown(xp, values), class_weights)


@loss(
    summary="Sparsemax loss",
    formula="½‖y − p‖² + Σ_{c: p_c=0} y_c (τ − z_c), p_c = max(0, z_c − τ), Σ_c p_c = 1",
    inputs=_INPUTS,
    params=_PARAMS,
    use="As cross_entropy of logits, for probabilities that may be exactly 0: it vanishes once "
    "the target leads by 1.",
    traits=("convex", "nonnegative", "shift", "smooth"),
    reference="Martins & Astudillo 2016, From Softmax to Sparsemax: A Sparse Model of Attention "
    "and Multi-Label Classification",
    example=Example(_EXAMPLE, 0.4375),
    conventions={"optax": Convention("optax.losses.multiclass_sparsemax_loss", note=_PER_ROW)},
)
def sparsemax(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    class_weights: Numbers,
    ignore_index: int | None,
    axis: int | None,
) -> Array | Elements:
    rows = arrange(xp, prediction, target, axis=axis, ignore_index=ignore_index)
    share, along = rows.shares(xp), rows.along
    # from the highest score on the scores of the support are within 1 of 0, whatever they were
    scores = rows.scores - rows.among(xp, rows.scores.max(axis=along))
    threshold = rows.among(xp, _threshold(xp, scores, along))
    p = xp.maximum(scores - threshold, 0)
    # This is −Σ y z + ½ Σ_S (z² − τ²) + ½‖y‖² of the paper, without its large terms that cancel.
    outside = xp.where(p > 0, 0, weighed(xp, share, threshold - scores))
    values = ordered_sum(xp, xp.square(share - p) / 2 + outside, along)
    return rows.result(xp, rows.with_unknown(xp, values, rows.no_scores(xp)), class_weights)


def _threshold(xp: ArrayModule, scores: Array, along: int) -> Array:
    """τ with Σ max(0, z − τ) = 1, of scores whose highest is 0."""
    falling = -xp.sort(-scores, axis=along)
    counts = xp.arange(1, scores.shape[along] + 1, dtype="float64")
    counts = counts.reshape(-1, *[1] * (scores.ndim - 1)) if along == 0 else counts
    sums = xp.cumsum(falling, axis=along)
    size = xp.maximum((1 + counts * falling > sums).sum(axis=along), 1)  # of the support
    return (at_class(xp, sums, size - 1, along) - 1) / size


@loss(
    summary="Top-k error",
    formula="1[y is not among the k classes of the highest scores]",
    inputs=_HARD_INPUTS,
    params=(
        Param("k", 1, "how many guesses are allowed", kind="integer", least=1),
        Param(
            "ties",
            "against",
            "a class of equal score comes before the target: against, always; first or last, if "
            "its id is lower or higher",
            choices=("against", "first", "last"),
        ),
        *_PARAMS,
    ),
    use="The share of wrong answers among k guesses; scores or probabilities alike.",
    traits=("bounded", "nonnegative", "shift"),
    reference="Russakovsky et al. 2015, ImageNet Large Scale Visual Recognition Challenge",
    example=Example(_EXAMPLE, 0.5),
    conventions={
        "sklearn": Convention(
            "sklearn.metrics.top_k_accuracy_score",
            {"k": 2, "ties": "last"},
            note="1 − the accuracy; k is 2; of equal scores the higher id comes first",
        )
    },
    contrast={"prediction": [[1.0, 1.0, 0.0], [0.0, 3.0, 2.0]], "target": [1, 0]},
)
def top_k_error(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    k: int,
    ties: str,
    class_weights: Numbers,
    ignore_index: int | None,
    axis: int | None,
) -> Array | Elements:
    rows = arrange(xp, prediction, target, axis=axis, ignore_index=ignore_index, hard=True)
    own = rows.among(xp, rows.own(xp, rows.scores))
    places = rows.spread(xp.arange(rows.classes))
    mine = rows.among(xp, rows.ids)
    equals = {"against": places != mine, "first": places < mine, "last": places > mine}[ties]
    ahead = (rows.scores > own) | ((rows.scores == own) & equals)
    values = (ahead.sum(axis=rows.along) >= k).astype("float64")
    return rows.result(xp, rows.with_unknown(xp, values, rows.no_scores(xp)), class_weights)
