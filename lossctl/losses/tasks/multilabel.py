"""Multi-label classification: any number of C labels may hold at once."""

from __future__ import annotations

from lossctl.losses.classes import FROM_LOGITS
from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    Param,
    loss,
)
from lossctl.losses.domains import LABEL, PROBABILITY, UNIT
from lossctl.losses.numerics import ordered_sum, ratio, sigmoid, softplus, weighed

_FEW = 32  # labels up to which their axis comes first
_MULTI_HOT = "1 for each label that holds, 0 for the others"
_INPUTS = (
    Input("prediction", "(N, C)", help="a score for each label"),
    Input("target", "(N, C)", domain=LABEL, labels=True, help=_MULTI_HOT),
)


@loss(
    summary="Multi-label margin loss",
    formula="Σ_{j: y_j=1} Σ_{i: y_i=0} max(0, 1 − (z_j − z_i)) / C",
    inputs=_INPUTS,
    use="Scores where every label that holds should lead every one that does not by 1.",
    traits=("convex", "multilabel", "nonnegative", "shift"),
    reference="Crammer & Singer 2003, A Family of Additive Online Algorithms for Category Ranking; "
    "as torch.nn.functional.multilabel_margin_loss",
    example=Example({"prediction": [[0.1, 0.2, 0.4, 0.8]], "target": [[1, 0, 0, 1]]}, 0.85),
    conventions={
        "torch": Convention(
            "torch.nn.functional.multilabel_margin_loss",
            note="its target lists the labels that hold, padded with −1",
        )
    },
)
def multilabel_margin(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    classes = prediction.shape[-1]
    along = 0 if classes <= _FEW else -1
    scores = xp.ascontiguousarray(xp.moveaxis(prediction, -1, along), dtype="float64")
    holds = xp.ascontiguousarray(xp.moveaxis(target == 1, -1, along))
    total = xp.zeros(len(prediction))
    for label in range(classes):  # one at a time: all pairs at once would take C times the memory
        own = xp.expand_dims(xp.take(scores, label, axis=along), along)
        terms = xp.where(holds, 0, xp.maximum(1 - (own - scores), 0))
        total += xp.where(xp.take(holds, label, axis=along), ordered_sum(xp, terms, along), 0)
    unknown = xp.isnan(scores).any(axis=along) | xp.isnan(target.astype("float64")).any(axis=-1)
    return xp.where(unknown, xp.nan, total / classes)


@loss(
    summary="Multi-label soft margin loss",
    formula="−Σ_c [y_c log σ(z_c) + (1 − y_c) log(1 − σ(z_c))] / C",
    unit="nats",
    inputs=(
        Input("prediction", help="logits, the labels on the last axis"),
        Input("target", domain=UNIT, labels=True, help=f"{_MULTI_HOT}; or probabilities"),
    ),
    use="As bce of logits, one value for each row of labels: a sum adds the rows' means.",
    traits=("calibration", "convex", "multilabel", "nonnegative", "proper", "smooth"),
    reference="As torch.nn.functional.multilabel_soft_margin_loss",
    example=Example(
        {"prediction": [[0.0, 1.0], [-1.0, 0.0]], "target": [[1, 1], [0, 1]]}, 0.503204434039084
    ),
    conventions={
        "torch": Convention(
            "torch.nn.functional.multilabel_soft_margin_loss", note="as here, without its weight"
        )
    },
)
def multilabel_soft_margin(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    scores, share = prediction.astype("float64"), target.astype("float64")
    terms = weighed(xp, share, softplus(xp, -scores))
    terms = terms + weighed(xp, 1 - share, softplus(xp, scores))
    if terms.ndim == 1:  # one label
        return terms
    return ordered_sum(xp, xp.ascontiguousarray(terms)) / terms.shape[-1]


@loss(
    aliases=("asl",),
    summary="Asymmetric loss",
    formula="−y (1 − p)^γ₊ log p − (1 − y) p_m^γ₋ log(1 − p_m), p_m = max(0, p − m)",
    unit="nats",
    curve="probability",
    inputs=(
        Input("prediction", domain=PROBABILITY, unless="from_logits"),
        Input("target", domain=UNIT, labels=True, help=f"{_MULTI_HOT}; or probabilities"),
    ),
    params=(
        Param("gamma_neg", 4.0, "γ₋: how much easy labels that do not hold are faded", least=0),
        Param("gamma_pos", 1.0, "γ₊: how much easy labels that hold are faded", least=0),
        Param(
            "clip",
            0.05,
            "m: labels that do not hold cost nothing up to this probability",
            least=0,
            below=1,
        ),
        FROM_LOGITS,
    ),
    use="Many labels of which few hold, some of them unmarked. The mean is over all labels. Not "
    "calibrated.",
    traits=("asymmetric", "imbalanced", "multilabel", "nonnegative"),
    reference="Ridnik et al. 2021, Asymmetric Loss For Multi-Label Classification",
    example=Example(
        {"prediction": [[0.75, 0.55], [0.04, 0.5]], "target": [[1, 0], [0, 1]]},
        0.11545395179447862,
    ),
)
def asymmetric(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    gamma_neg: float,
    gamma_pos: float,
    clip: float,
    from_logits: bool,
) -> Array:
    scores, share = prediction.astype("float64"), target.astype("float64")
    if from_logits:
        p, q, log_p = sigmoid(xp, scores), sigmoid(xp, -scores), -softplus(xp, -scores)
    else:
        p, q, log_p = scores, 1 - scores, xp.log(scores)
    excess = xp.maximum(p - clip, 0)
    # of a logit, 1 − p may have been rounded to 0
    log_rest = -softplus(xp, scores) if from_logits and not clip else xp.log1p(-excess)
    holds = weighed(xp, share * q**gamma_pos, 0 - log_p)
    return holds + weighed(xp, (1 - share) * excess**gamma_neg, 0 - log_rest)


@loss(
    summary="Label ranking loss",
    formula="the share of pairs (a label that holds, one that does not) with z_holds ≤ z_other",
    inputs=_INPUTS,
    use="Which labels come first, whatever the scores' scale; 0 where all labels hold or none.",
    traits=("bounded", "multilabel", "nonnegative", "shift"),
    reference="Tsoumakas et al. 2010, Mining Multi-label Data; as scikit-learn's",
    example=Example(
        {"prediction": [[0.75, 0.5, 1.0], [1.0, 0.2, 0.1]], "target": [[1, 0, 0], [0, 0, 1]]}, 0.75
    ),
    conventions={"sklearn": Convention("sklearn.metrics.label_ranking_loss", note="as here")},
)
def label_ranking(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    # By score, those that hold before others of the same: each other has then, before it, the
    # labels that should have come after it.
    others = target != 1
    order = xp.argsort(others, axis=-1, kind="stable")
    scores = xp.take_along_axis(prediction, order, axis=-1)
    rising = xp.argsort(scores, axis=-1, kind="stable")
    others = xp.take_along_axis(xp.take_along_axis(others, order, axis=-1), rising, axis=-1)
    wrong = xp.where(others, xp.cumsum(~others, axis=-1), 0).sum(axis=-1)
    count = others.sum(axis=-1)
    values = ratio(xp, wrong, count * (others.shape[-1] - count))
    return _known(xp, prediction, target, values)


@loss(
    summary="Coverage error",
    formula="how many labels have at least the lowest score of those that hold; 0 if none holds",
    inputs=_INPUTS,
    use="How far down the list one must go for all that hold; at best their number, never 0.",
    traits=("multilabel", "nonnegative", "shift"),
    reference="Tsoumakas et al. 2010, Mining Multi-label Data; as scikit-learn's",
    example=Example(
        {"prediction": [[0.75, 0.5, 1.0], [1.0, 0.2, 0.1]], "target": [[1, 0, 0], [0, 0, 1]]}, 2.5
    ),
    conventions={"sklearn": Convention("sklearn.metrics.coverage_error", note="as here")},
)
def coverage_error(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    lowest = xp.where(target == 1, prediction, xp.inf).min(axis=-1)
    reached = (prediction >= lowest[:, None]) & (target == 1).any(axis=-1)[:, None]
    return _known(xp, prediction, target, reached.sum(axis=-1).astype("float64"))


def _known(xp: ArrayModule, prediction: Array, target: Array, values: Array) -> Array:
    """The values of rows, NaN where prediction or target hold one."""
    unknown = xp.isnan(prediction) | xp.isnan(target.astype("float64"))
    return xp.where(unknown.any(axis=-1), xp.nan, values)
