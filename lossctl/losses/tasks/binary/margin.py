"""Losses of a score's margin: by how much it is on the right side."""

from __future__ import annotations

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Example,
    Input,
    Param,
    loss,
)
from lossctl.losses.domains import MARGIN_LABEL
from lossctl.losses.numerics import softplus

_MARGIN_INPUTS = (
    Input("prediction", help="scores; positive speaks for class 1"),
    Input("target", domain=MARGIN_LABEL, labels=True),
)
_MARGIN = Param("margin", 1.0, "the score up to which right predictions cost", least=0)
_MAP_LABELS = Param(
    "map_labels",
    True,
    "targets {0, 1} are mapped to {−1, 1}; false multiplies by them as they are",
)


def _agreement(xp: ArrayModule, prediction: Array, target: Array, map_labels: bool) -> Array:
    """yz, positive where the score's side is right."""
    sign = target.astype(prediction.dtype, copy=False)
    if map_labels:
        sign = sign + (sign * sign - 1)  # −1 for 0 too
    return sign * prediction


@loss(
    summary="Hinge loss",
    formula="max(0, m − yz), y ∈ {−1, 1}; targets {0, 1} are mapped to it",
    curve="margin",
    inputs=_MARGIN_INPUTS,
    params=(_MARGIN, _MAP_LABELS),
    use="Scores of a margin classifier, where only the side counts; no use for probabilities.",
    traits=("robust", "convex", "nonnegative"),
    reference="Cortes & Vapnik 1995, Support-vector networks, Machine Learning 20",
    example=Example({"prediction": [0.5, -0.25, 2.0], "target": [1, 1, -1]}, 4.75 / 3),
    conventions={
        "keras": Convention("keras.losses.Hinge", row_means=True, multiplies=True),
        "sklearn": Convention(
            "sklearn.metrics.hinge_loss",
            note="takes a target that has one class only for −1; here 1 stays 1",
        ),
        "optax": Convention(
            "optax.losses.hinge_loss",
            {"map_labels": False},
            note="a target 0 is no −1, and costs the margin; per element, here its mean",
        ),
    },
    contrast={"prediction": [0.5, -0.25, 2.0], "target": [1, 1, 0]},
)
def hinge(
    xp: ArrayModule, prediction: Array, target: Array, *, margin: float, map_labels: bool
) -> Array:
    if float(prediction.dtype.type(margin)) != margin:  # its rounding would be that of the loss
        prediction = prediction.astype("float64")
    return xp.maximum(margin - _agreement(xp, prediction, target, map_labels), 0)


@loss(
    summary="Squared hinge loss",
    formula="max(0, m − yz)², y ∈ {−1, 1}; targets {0, 1} are mapped to it",
    curve="margin",
    inputs=_MARGIN_INPUTS,
    params=(_MARGIN, _MAP_LABELS),
    use="As hinge, smooth, and harder on far outliers.",
    traits=("smooth", "convex", "nonnegative"),
    reference="Lee & Mangasarian 2001, SSVM, Computational Optimization and Applications 20",
    example=Example({"prediction": [0.5, -0.25, 2.0], "target": [1, 1, -1]}, 10.8125 / 3),
    conventions={"keras": Convention("keras.losses.SquaredHinge", row_means=True, multiplies=True)},
)
def squared_hinge(
    xp: ArrayModule, prediction: Array, target: Array, *, margin: float, map_labels: bool
) -> Array:
    return xp.square(hinge(xp, prediction, target, margin=margin, map_labels=map_labels))


@loss(
    aliases=("soft_margin",),
    summary="Logistic loss of a score",
    formula="log(1 + exp(−yz)), y ∈ {−1, 1}; targets {0, 1} are mapped to it",
    unit="nats",
    curve="margin",
    inputs=_MARGIN_INPUTS,
    params=(_MAP_LABELS,),
    use="Scores that are log-odds: the same number as bce of logits, for labels of −1 and 1. "
    "It grows linearly with a score on the wrong side.",
    traits=("convex", "smooth", "proper", "nonnegative"),
    reference="Friedman, Hastie & Tibshirani 2000, Additive logistic regression, Ann. Statist. 28",
    # log(1 + 1/3) and log 2, of odds of 3 for the right class and of none
    example=Example(
        {"prediction": [1.0986122886681098, 0.0], "target": [1, -1]}, 0.49041462650586309
    ),
    conventions={
        "torch": Convention(
            "torch.nn.functional.soft_margin_loss",
            {"map_labels": False},
            note="a target 0 is no −1, and costs log 2; overflows for −yz beyond 709 (88 in "
            "float32), here it does not",
        ),
    },
    contrast={"prediction": [2.0, -1.0], "target": [1, 0]},
)
def logistic(xp: ArrayModule, prediction: Array, target: Array, *, map_labels: bool) -> Array:
    return softplus(xp, -_agreement(xp, prediction, target, map_labels))


@loss(
    summary="Exponential loss of a score",
    formula="exp(−yz), y ∈ {−1, 1}; targets {0, 1} are mapped to it",
    curve="margin",
    inputs=_MARGIN_INPUTS,
    params=(_MAP_LABELS,),
    use="What AdaBoost lowers. One score far on the wrong side outweighs all others, so that "
    "wrong labels ruin it; beyond 709 it is infinite.",
    traits=("convex", "smooth", "nonnegative"),
    reference="Schapire & Singer 1999, Improved boosting algorithms, Machine Learning 37",
    # 1/2 and 4
    example=Example(
        {"prediction": [0.6931471805599453, 1.3862943611198906], "target": [1, -1]}, 2.25
    ),
)
def exponential(xp: ArrayModule, prediction: Array, target: Array, *, map_labels: bool) -> Array:
    # float32 overflows from 89 on
    prediction = prediction.astype("float64", copy=False)
    return xp.exp(-_agreement(xp, prediction, target, map_labels))


@loss(
    summary="Modified Huber loss of a score",
    formula="max(0, 1 − yz)² where yz ≥ −1, else −4yz; y ∈ {−1, 1}; targets {0, 1} are mapped "
    "to it",
    curve="margin",
    inputs=_MARGIN_INPUTS,
    params=(_MAP_LABELS,),
    use="A squared hinge that is linear for scores far on the wrong side, and so bears wrong "
    "labels; the SGDClassifier's loss of that name.",
    traits=("convex", "smooth", "robust", "nonnegative"),
    reference="Zhang 2004, Solving large scale linear prediction problems using stochastic "
    "gradient descent algorithms, ICML",
    # ¼ inside, 2.25 inside, 12 on the line
    example=Example({"prediction": [0.5, 0.5, -3.0], "target": [1, -1, 1]}, 14.5 / 3),
)
def modified_huber(xp: ArrayModule, prediction: Array, target: Array, *, map_labels: bool) -> Array:
    agreement = _agreement(xp, prediction, target, map_labels)
    near = xp.square(xp.maximum(1 - agreement, 0))
    return xp.where(agreement < -1, -4 * agreement, near)


@loss(
    summary="Perceptron loss of a score",
    formula="max(0, −yz), y ∈ {−1, 1}; targets {0, 1} are mapped to it",
    curve="margin",
    inputs=_MARGIN_INPUTS,
    params=(_MAP_LABELS,),
    use="Hinge with no margin: scores on the right side cost nothing, and a score of 0 nothing "
    "either way, so that scores of 0 throughout are perfect.",
    traits=("convex", "robust", "nonnegative"),
    reference="Rosenblatt 1958, The perceptron, Psychological Review 65",
    example=Example({"prediction": [0.5, -0.25, 2.0], "target": [1, 1, -1]}, 0.75),
    conventions={
        "optax": Convention(
            "optax.losses.perceptron_loss",
            {"map_labels": False},
            note="a target 0 is no −1, and costs nothing; per element, here its mean",
        ),
    },
    contrast={"prediction": [0.5, -0.25, 2.0], "target": [1, 1, 0]},
)
def perceptron(xp: ArrayModule, prediction: Array, target: Array, *, map_labels: bool) -> Array:
    return xp.maximum(-_agreement(xp, prediction, target, map_labels), 0)
