"""An anchor's positive against all its negatives at once: softmax losses."""

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
from lossctl.losses.pairs import batches
from lossctl.losses.tasks.contrastive.parts import (
    BATCH,
    EMBEDDINGS,
    LABELS,
    LEFT,
    MEMORY,
    RIGHT,
    Cost,
    log_sum,
    normalizing,
    over_anchors,
    points_of,
    similarities,
    with_positives,
)
from lossctl.losses.vectors import LEAST_LENGTH, rounding_length, unit

_EITHER = tuple(item._replace(optional=True) for item in (LEFT, RIGHT, EMBEDDINGS, LABELS))


_WAYS = (("left", "right"), ("prediction", "target"))


def _temperature(default: float) -> Param:
    return Param(
        "temperature", default, "divides the cosines; small ones stress the nearest", above=0
    )


def _matches(
    xp: ArrayModule, left: Array, right: Array, batch: int | None, temperature: float
) -> Array:
    """log(1 + Σ_{j≠i} exp((lᵢ·rⱼ − lᵢ·rᵢ)/τ)) of each row i."""
    losses = []
    for own in batches(len(left), batch):
        for rows, similar in similarities(xp, left[own], right[own], 1 / temperature):
            row = xp.arange(len(similar))
            partner = (row, row + rows.start)
            positive = similar[partner]
            similar[partner] = -xp.inf
            losses.append(softplus(xp, log_sum(xp, similar) - positive))
    return xp.concatenate(losses)


def _tuplets(xp: ArrayModule) -> Cost:
    """The mean over positives p of log(1 + Σ_n exp(sₙ − sₚ)), n the negatives."""

    def cost(similar: Array, positive: Array, itself: tuple[Array, Array]) -> Array:
        pairs = xp.nonzero(positive)
        found = similar[pairs]
        similar[pairs] = -xp.inf
        similar[itself] = -xp.inf
        losses = softplus(xp, log_sum(xp, similar)[pairs[0]] - found)
        return xp.bincount(pairs[0], losses, len(similar)) / positive.sum(axis=1)

    return cost


@loss(
    aliases=("ntxent", "simclr"),
    summary="NT-Xent: the normalised temperature-scaled cross entropy of SimCLR",
    formula="−log(exp(sᵢₚ/τ) / (exp(sᵢₚ/τ) + Σₙ exp(sᵢₙ/τ))), s the cosine; i all 2N views,\n"
    "p the other view of i's row, n those of other rows. From labels: p each other row of i's\n"
    "label (mean over p), n the rows of other labels",
    inputs=_EITHER,
    alternatives=_WAYS,
    params=(
        _temperature(0.07),
        BATCH,
        Param(
            "average",
            "anchors",
            "with labels: anchors count alike, or as often as they have positives",
            choices=("anchors", "pairs"),
        ),
        LEAST_LENGTH,
        Param(
            "least_by_type",
            False,
            "whether least_length is √ε of the embeddings' float type (1.5e-8, float32 3.5e-4)",
        ),
    ),
    whole=True,
    memory=MEMORY,
    unit="nats",
    use="How well two views of a sample find each other among a batch. It grows with the log of "
    "the batch and hangs on the temperature: compare only with both the same.",
    traits=("nonnegative",),
    reference="Chen et al. 2020, A Simple Framework for Contrastive Learning of Visual "
    "Representations, ICML; from labels as optax.losses.ntxent",
    example=Example(
        {"left": [[1.0, 0.0], [0.0, 2.0]], "right": [[3.0, 0.0], [0.0, 1.0]]},
        0.2395447662218849,  # log(1 + 2/e²)
        {"temperature": 0.5},
    ),
    contrast={"prediction": [[1, 0], [1, 1], [0, 1], [1, 2], [2, 1]], "target": [0, 0, 1, 1, 0]},
    conventions={
        "monai": Convention(
            "monai.losses.ContrastiveLoss",
            {"temperature": 0.5, "least_length": 1e-8},
            note="temperature 0.5; takes left and right",
        ),
        "optax": Convention(
            "optax.losses.ntxent",
            {"average": "pairs", "least_by_type": True},
            note="the mean over all pairs of one label; takes prediction and target",
        ),
    },
)
def nt_xent(
    xp: ArrayModule,
    left: Array | None,
    right: Array | None,
    prediction: Array | None,
    target: Array | None,
    *,
    temperature: float,
    batch: int | None,
    average: str,
    least_length: float,
    least_by_type: bool,
) -> Elements:
    given: Array = prediction if left is None else left
    if least_by_type:
        least_length = rounding_length(given.dtype.name)
    if left is None:
        points, labels = unit(xp, prediction, least_length), target
    else:  # the two views of a row are neighbours, so that a batch has both
        views = [unit(xp, view, least_length) for view in (left, right)]
        points = xp.stack(views, axis=1).reshape(2 * len(left), -1)
        labels = xp.arange(len(points)) // 2
        batch = None if batch is None else 2 * batch
        del views  # of the size of all rows
    losses, positives = over_anchors(xp, points, labels, batch, _tuplets(xp), 1 / temperature)
    if left is not None:
        losses, positives = losses.reshape(-1, 2), positives.reshape(-1, 2)
    if average == "pairs":
        return Elements(losses, positives)
    return with_positives(losses, positives)


@loss(
    aliases=("clip_loss",),
    summary="InfoNCE of matched pairs, as in CLIP",
    formula="−log(exp(sᵢᵢ/τ) / Σⱼ exp(sᵢⱼ/τ)), sᵢⱼ the cosine of lᵢ and rⱼ;\n"
    "with symmetric=true the mean of this and of the same with left and right exchanged",
    inputs=(LEFT, RIGHT),
    params=(
        _temperature(0.07),
        Param("symmetric", True, "whether the right side looks for its left one too"),
        BATCH,
    ),
    whole=True,
    memory=MEMORY,
    unit="nats",
    use="Retrieval between two kinds of things, as images and their texts. log N is chance; it "
    "grows with the batch, and equal rows in a batch count as errors.",
    traits=("nonnegative",),
    reference="Oord, Li & Vinyals 2018, Contrastive Predictive Coding; Radford et al. 2021, CLIP",
    example=Example(
        {"left": [[1.0, 0.0], [0.0, 2.0]], "right": [[3.0, 0.0], [0.0, 1.0]]},
        0.31326168751822286,  # log(1 + 1/e)
        {"temperature": 1.0},
    ),
)
def info_nce(
    xp: ArrayModule,
    left: Array,
    right: Array,
    *,
    temperature: float,
    symmetric: bool,
    batch: int | None,
) -> Array:
    left, right = unit(xp, left), unit(xp, right)
    there = _matches(xp, left, right, batch, temperature)
    if not symmetric:
        return there
    return xp.stack([there, _matches(xp, right, left, batch, temperature)], axis=1)


@loss(
    aliases=("supervised_contrastive",),
    summary="Supervised contrastive loss",
    formula="−1/|P| Σ_{p∈P} log(exp(sᵢₚ/τ) / Σ_{a≠i} exp(sᵢₐ/τ)), s the cosine,\n"
    "P the other rows of i's label",
    inputs=(EMBEDDINGS, LABELS),
    params=(_temperature(0.1), BATCH),
    whole=True,
    memory=MEMORY,
    unit="nats",
    use="Whether rows of one label lie together. It is never below log |P|: compare only over "
    "batches of the same make-up. A row whose label is alone in the batch has no value.",
    traits=("nonnegative",),
    reference="Khosla et al. 2020, Supervised Contrastive Learning, NeurIPS, eq. 2 (L_out)",
    example=Example(
        {
            "prediction": [[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]],
            "target": [0, 0, 1, 1],
        },
        0.5514447139320511,  # log(1 + 2/e)
        {"temperature": 1.0},
    ),
)
def supcon(
    xp: ArrayModule, prediction: Array, target: Array, *, temperature: float, batch: int | None
) -> Elements:
    def cost(similar: Array, positive: Array, itself: tuple[Array, Array]) -> Array:
        pairs = xp.nonzero(positive)
        mean = xp.bincount(pairs[0], similar[pairs], len(similar)) / positive.sum(axis=1)
        similar[itself] = -xp.inf
        peak = similar.max(axis=1)
        # the nearest is left out of the sum: log1p of the rest keeps all digits
        similar -= peak[:, None]
        similar[itself[0], similar.argmax(axis=1)] = -xp.inf
        return (peak - mean) + xp.log1p(xp.exp(similar, out=similar).sum(axis=1))

    points = unit(xp, prediction)
    return with_positives(*over_anchors(xp, points, target, batch, cost, 1 / temperature))


@loss(
    aliases=("npairs", "n_pair"),
    summary="N-pairs loss",
    formula="log(1 + Σₙ exp(lᵢ·rₙ − lᵢ·rᵢ)), n ≠ i. From labels: log(1 + Σₙ exp(zᵢ·zₙ − zᵢ·zₚ)),\n"
    "p each other row of i's label (mean over p), n the rows of other labels",
    inputs=_EITHER,
    alternatives=_WAYS,
    params=(normalizing(False), BATCH),
    whole=True,
    memory=MEMORY,
    unit="nats",
    use="Pairs of one class each, against the other pairs of the batch. Embeddings are taken as "
    "they are, so that their scale acts as a temperature; no penalty on lengths is added.",
    traits=("nonnegative",),
    reference="Sohn 2016, Improved Deep Metric Learning with Multi-class N-pair Loss Objective, "
    "NeurIPS, eq. 6; from labels the (N+1)-tuplet loss, eq. 3",
    example=Example(
        {"left": [[1.0, 0.0], [0.0, 2.0]], "right": [[1.0, 0.0], [0.0, 0.5]]},
        0.31326168751822286,  # log(1 + 1/e)
    ),
)
def n_pairs(
    xp: ArrayModule,
    left: Array | None,
    right: Array | None,
    prediction: Array | None,
    target: Array | None,
    *,
    normalize: bool,
    batch: int | None,
) -> Array | Elements:
    if left is not None:
        left, right = (points_of(xp, side, normalize) for side in (left, right))
        return _matches(xp, left, right, batch, 1.0)
    points = points_of(xp, prediction, normalize)
    return with_positives(*over_anchors(xp, points, target, batch, _tuplets(xp)))
