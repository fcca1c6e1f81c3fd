"""An anchor's positives and its negatives, each kind by itself."""

from __future__ import annotations

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    Param,
    loss,
)
from lossctl.losses.numerics import softplus
from lossctl.losses.tasks.contrastive.parts import (
    BATCH,
    EMBEDDINGS,
    LABELS,
    MEMORY,
    log_sum,
    normalizing,
    over_anchors,
    points_of,
)
from lossctl.losses.vectors import unit


@loss(
    summary="Multi-similarity loss",
    formula="1/α log(1 + Σₚ exp(−α(sᵢₚ − λ))) + 1/β log(1 + Σₙ exp(β(sᵢₙ − λ))), s the cosine,\n"
    "p the other rows of i's label, n the rows of other labels",
    inputs=(EMBEDDINGS, LABELS),
    params=(
        Param("alpha", 2.0, "α, how much the farthest positives stand out", above=0),
        Param("beta", 50.0, "β, how much the nearest negatives stand out", above=0),
        Param("base", 0.5, "λ, the cosine that separates positives from negatives"),
        BATCH,
    ),
    whole=True,
    memory=MEMORY,
    use="Rows of one label should be near, of others far, the hardest pairs counting most. All "
    "pairs take part: the paper's mining of pairs is left to training.",
    traits=("nonnegative",),
    reference="Wang et al. 2019, Multi-Similarity Loss with General Pair Weighting for Deep "
    "Metric Learning, CVPR, eq. 15",
    example=Example(
        {"prediction": [[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]], "target": [4, 4, 7]},
        1.0371433416081487,  # (2 (log(1 + 1/e) + log 2) + log 3)/3
        {"alpha": 1.0, "beta": 1.0, "base": 0.0},
    ),
)
def multi_similarity(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    alpha: float,
    beta: float,
    base: float,
    batch: int | None,
) -> Array:
    def cost(similar: Array, positive: Array, itself: tuple[Array, Array]) -> Array:
        similar -= base
        far = log_sum(xp, xp.where(positive, -alpha * similar, -xp.inf))
        similar *= beta
        similar[positive] = -xp.inf
        similar[itself] = -xp.inf
        near = log_sum(xp, similar)
        return softplus(xp, far) / alpha + softplus(xp, near) / beta

    return over_anchors(xp, unit(xp, prediction), target, batch, cost)[0]


@loss(
    aliases=("circle_loss",),
    summary="Circle loss",
    formula="log(1 + Σₙ exp(γ [sₙ + m]₊ (sₙ − m)) · Σₚ exp(−γ [1 + m − sₚ]₊ (sₚ − 1 + m))),\n"
    "s the cosine to the anchor, at most 1, p the other rows of its label, n those of others",
    inputs=(EMBEDDINGS, LABELS),
    params=(
        Param("gamma", 80.0, "γ, the scale of the similarities", above=0),
        Param("margin", 0.4, "m, the cosine from which negatives cost; positives, below 1 − m"),
        normalizing(True),
        Param(
            "ignore_below",
            0.0,
            "anchors that cost less take no part in the mean",
            least=0,
        ),
        BATCH,
    ),
    whole=True,
    memory=MEMORY,
    use="As multi_similarity, with pairs weighed by how far they are from their optimum. Values "
    "scale with gamma; well separated anchors cost almost nothing.",
    traits=("nonnegative",),
    reference="Sun et al. 2020, Circle Loss: A Unified Perspective of Pair Similarity "
    "Optimization, CVPR, eq. 6",
    example=Example(
        {"prediction": [[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]], "target": [4, 4, 7]},
        0.4740769841801067,  # log(1 + e^(−2m²)); the third row has no positive
        {"gamma": 1.0, "margin": 0.5},
    ),
    conventions={
        "keras": Convention(
            "keras.losses.Circle",
            {"normalize": False, "ignore_below": 1e-45},
            multiplies=True,
            empty=0.0,
            note="embeddings taken as of length 1; anchors that cost 0 in float32 are left out",
        )
    },
)
def circle(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    gamma: float,
    margin: float,
    normalize: bool,
    ignore_below: float,
    batch: int | None,
) -> Elements:
    def cost(similar: Array, positive: Array, itself: tuple[Array, Array]) -> Array:
        xp.minimum(similar, 1, out=similar)
        pull = -gamma * xp.maximum(1 + margin - similar, 0) * (similar - (1 - margin))
        far = log_sum(xp, xp.where(positive, pull, -xp.inf))
        push = gamma * xp.maximum(similar + margin, 0) * (similar - margin)
        push[positive] = -xp.inf
        push[itself] = -xp.inf
        return softplus(xp, log_sum(xp, push) + far)

    losses, positives = over_anchors(xp, points_of(xp, prediction, normalize), target, batch, cost)
    counted = (positives > 0) & ~(losses < ignore_below)
    return Elements(losses, counted.astype("float64"))
