"""Contrastive batches: each row of a batch is an anchor, judged against all the others.

The rows of a batch are consecutive, and all rows of the file are one batch by default.
Similarities are computed in float64 from float64 unit vectors, some rows at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import nan

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Elements,
    Example,
    Input,
    Param,
    loss,
)
from lossctl.losses.numerics import softplus
from lossctl.losses.pairs import batches, blocks
from lossctl.losses.vectors import LEAST_LENGTH, rounding_length, unit

_BATCH = Param(
    "batch",
    None,
    "consecutive rows that are compared with each other; none is all rows of the file",
    kind="integer",
    least=1,
)
_EMBEDDINGS = Input("prediction", "(N, D)", help="the embeddings")
_LABELS = Input("target", "(N,)", labels=True, help="rows of one label are positives")
_LEFT = Input("left", "(N, D)", help="the embeddings of one view")
_RIGHT = Input("right", "(N, D)", help="those of the other view, row by row")
_EITHER = tuple(item._replace(optional=True) for item in (_LEFT, _RIGHT, _EMBEDDINGS, _LABELS))
_WAYS = (("left", "right"), ("prediction", "target"))
_MEMORY = "two copies of all rows in float64 and some 30 MB; its time grows with N·batch"


def _temperature(default: float) -> Param:
    return Param(
        "temperature", default, "divides the cosines; small ones stress the nearest", above=0
    )


def _normalize(default: bool) -> Param:
    return Param("normalize", default, "whether embeddings are first brought to length 1")


# Of a block of similarities (rows, batch), which the function may overwrite, of which of them
# are of positives, and of the indices of the anchors themselves: the anchors' losses (rows,).
Cost = Callable[[Array, Array, "tuple[Array, Array]"], Array]


def _similarities(
    xp: ArrayModule, anchors: Array, others: Array, scale: float = 1.0
) -> Iterator[tuple[slice, Array]]:
    """Blocks of anchors, and their products with all others."""
    across = xp.ascontiguousarray(others.T)
    for rows in blocks(len(anchors), len(others)):
        yield rows, (anchors[rows] * scale) @ across


def _anchors(
    xp: ArrayModule, points: Array, labels: Array, batch: int | None, cost: Cost, scale: float = 1.0
) -> tuple[Array, Array]:
    """Each row's loss, and how many positives it has in its batch; the row itself is none."""
    losses, positives = [], []
    for own in batches(len(points), batch):
        z, y = points[own], labels[own]
        for rows, similar in _similarities(xp, z, z, scale):
            same = y[rows, None] == y
            row = xp.arange(len(same))
            itself = (row, row + rows.start)
            same[itself] = False
            losses.append(cost(similar, same, itself))
            positives.append(same.sum(axis=1))
    return xp.concatenate(losses), xp.concatenate(positives).astype("float64")


def _with_positives(losses: Array, positives: Array) -> Elements:
    """Anchors without a positive have no value."""
    return Elements(losses, (positives > 0).astype("float64"))


def _matches(
    xp: ArrayModule, left: Array, right: Array, batch: int | None, temperature: float
) -> Array:
    """log(1 + Σ_{j≠i} exp((lᵢ·rⱼ − lᵢ·rᵢ)/τ)) of each row i."""
    losses = []
    for own in batches(len(left), batch):
        for rows, similar in _similarities(xp, left[own], right[own], 1 / temperature):
            row = xp.arange(len(similar))
            partner = (row, row + rows.start)
            positive = similar[partner]
            similar[partner] = -xp.inf
            losses.append(softplus(xp, _log_sum(xp, similar) - positive))
    return xp.concatenate(losses)


def _log_sum(xp: ArrayModule, terms: Array) -> Array:
    """log Σ exp of each row, in place of its terms."""
    peak = terms.max(axis=1)
    peak = xp.where(xp.isinf(peak), 0, peak)
    terms -= peak[:, None]
    return xp.log(xp.exp(terms, out=terms).sum(axis=1)) + peak


def _tuplets(xp: ArrayModule) -> Cost:
    """The mean over positives p of log(1 + Σ_n exp(sₙ − sₚ)), n the negatives."""

    def cost(similar: Array, positive: Array, itself: tuple[Array, Array]) -> Array:
        pairs = xp.nonzero(positive)
        found = similar[pairs]
        similar[pairs] = -xp.inf
        similar[itself] = -xp.inf
        losses = softplus(xp, _log_sum(xp, similar)[pairs[0]] - found)
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
        _BATCH,
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
    memory=_MEMORY,
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
    losses, positives = _anchors(xp, points, labels, batch, _tuplets(xp), 1 / temperature)
    if left is not None:
        losses, positives = losses.reshape(-1, 2), positives.reshape(-1, 2)
    if average == "pairs":
        return Elements(losses, positives)
    return _with_positives(losses, positives)


@loss(
    aliases=("clip_loss",),
    summary="InfoNCE of matched pairs, as in CLIP",
    formula="−log(exp(sᵢᵢ/τ) / Σⱼ exp(sᵢⱼ/τ)), sᵢⱼ the cosine of lᵢ and rⱼ;\n"
    "with symmetric=true the mean of this and of the same with left and right exchanged",
    inputs=(_LEFT, _RIGHT),
    params=(
        _temperature(0.07),
        Param("symmetric", True, "whether the right side looks for its left one too"),
        _BATCH,
    ),
    whole=True,
    memory=_MEMORY,
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
    inputs=(_EMBEDDINGS, _LABELS),
    params=(_temperature(0.1), _BATCH),
    whole=True,
    memory=_MEMORY,
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
    return _with_positives(*_anchors(xp, points, target, batch, cost, 1 / temperature))


@loss(
    aliases=("npairs", "n_pair"),
    summary="N-pairs loss",
    formula="log(1 + Σₙ exp(lᵢ·rₙ − lᵢ·rᵢ)), n ≠ i. From labels: log(1 + Σₙ exp(zᵢ·zₙ − zᵢ·zₚ)),\n"
    "p each other row of i's label (mean over p), n the rows of other labels",
    inputs=_EITHER,
    alternatives=_WAYS,
    params=(_normalize(False), _BATCH),
    whole=True,
    memory=_MEMORY,
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
        left, right = (_points(xp, side, normalize) for side in (left, right))
        return _matches(xp, left, right, batch, 1.0)
    points = _points(xp, prediction, normalize)
    return _with_positives(*_anchors(xp, points, target, batch, _tuplets(xp)))


def _points(xp: ArrayModule, embeddings: Array, normalize: bool) -> Array:
    return unit(xp, embeddings) if normalize else embeddings.astype("float64", copy=False)


@loss(
    summary="Multi-similarity loss",
    formula="1/α log(1 + Σₚ exp(−α(sᵢₚ − λ))) + 1/β log(1 + Σₙ exp(β(sᵢₙ − λ))), s the cosine,\n"
    "p the other rows of i's label, n the rows of other labels",
    inputs=(_EMBEDDINGS, _LABELS),
    params=(
        Param("alpha", 2.0, "α, how much the farthest positives stand out", above=0),
        Param("beta", 50.0, "β, how much the nearest negatives stand out", above=0),
        Param("base", 0.5, "λ, the cosine that separates positives from negatives"),
        _BATCH,
    ),
    whole=True,
    memory=_MEMORY,
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
        far = _log_sum(xp, xp.where(positive, -alpha * similar, -xp.inf))
        similar *= beta
        similar[positive] = -xp.inf
        similar[itself] = -xp.inf
        near = _log_sum(xp, similar)
        return softplus(xp, far) / alpha + softplus(xp, near) / beta

    return _anchors(xp, unit(xp, prediction), target, batch, cost)[0]


@loss(
    aliases=("circle_loss",),
    summary="Circle loss",
    formula="log(1 + Σₙ exp(γ [sₙ + m]₊ (sₙ − m)) · Σₚ exp(−γ [1 + m − sₚ]₊ (sₚ − 1 + m))),\n"
    "s the cosine to the anchor, at most 1, p the other rows of its label, n those of others",
    inputs=(_EMBEDDINGS, _LABELS),
    params=(
        Param("gamma", 80.0, "γ, the scale of the similarities", above=0),
        Param("margin", 0.4, "m, the cosine from which negatives cost; positives, below 1 − m"),
        _normalize(True),
        Param(
            "ignore_below",
            0.0,
            "anchors that cost less take no part in the mean",
            least=0,
        ),
        _BATCH,
    ),
    whole=True,
    memory=_MEMORY,
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
        far = _log_sum(xp, xp.where(positive, pull, -xp.inf))
        push = gamma * xp.maximum(similar + margin, 0) * (similar - margin)
        push[positive] = -xp.inf
        push[itself] = -xp.inf
        return softplus(xp, _log_sum(xp, push) + far)

    losses, positives = _anchors(xp, _points(xp, prediction, normalize), target, batch, cost)
    counted = (positives > 0) & ~(losses < ignore_below)
    return Elements(losses, counted.astype("float64"))


def _over_batches(
    xp: ArrayModule, views: tuple[Array, Array], batch: int | None, value: Callable[..., Array]
) -> Array:
    """The mean of the batches' values, each counting by its rows."""
    left, right = views
    rows = len(left)
    parts = [
        value(left[own], right[own]) * ((own.stop - own.start) / rows)
        for own in batches(rows, batch)
    ]
    return xp.stack(parts).sum()


def _centred(xp: ArrayModule, view: Array) -> Array:
    """Columns less their means, in float64; exactly 0 where a column is constant."""
    constant = (view == view[:1]).all(axis=0)
    view = view.astype("float64") - view[:1]
    view -= view.mean(axis=0)
    view -= view.mean(axis=0)  # what the first mean's rounding has left
    view[:, constant] = 0
    return view


@loss(
    summary="Barlow Twins loss",
    formula="Σᵢ (1 − Cᵢᵢ)² + λ Σ_{i≠j} Cᵢⱼ², C the correlations (over rows) of left's features\n"
    "with right's; 0 for a constant feature",
    inputs=(_LEFT, _RIGHT),
    params=(
        Param("lambda", 0.005, "λ, the weight of what different features share", least=0),
        Param("epsilon", 0.0, "is added to each standard deviation", least=0),
        Param(
            "ddof",
            0,
            "1: the deviations divide by N − 1, though the covariances by N",
            choices=(0, 1),
        ),
        _BATCH,
    ),
    whole=True,
    single=True,
    memory="centred copies of both views, and as many numbers as there are pairs of features",
    use="Whether two views agree in each feature while the features differ from each other. It "
    "grows with the number of features, and with few rows chance correlations rule it.",
    traits=("symmetric", "nonnegative"),
    reference="Zbontar et al. 2021, Barlow Twins: Self-Supervised Learning via Redundancy "
    "Reduction, ICML, eq. 1 and 2",
    example=Example(
        {
            "left": [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]],
            "right": [[3.0, 0.0], [1.0, 0.0], [1.0, 5.0], [-1.0, 5.0]],
        },
        1.0932864376269049,  # (1 − 1/√2)² + 1 + λ(1 + ½)
    ),
    conventions={
        "monai": Convention(
            "monai.losses.BarlowTwinsLoss",
            {"epsilon": 1e-6, "ddof": 1, "lambda": 0.004999999888241291},
            note="deviations over N − 1, covariances over N, 1e-6 added to each deviation; "
            "λ is 0.005 in float32",
        )
    },
)
def barlow_twins(
    xp: ArrayModule,
    left: Array,
    right: Array,
    *,
    epsilon: float,
    ddof: int,
    batch: int | None,
    **named: float,  # lambda, which is no name in Python
) -> Array:
    def value(left: Array, right: Array) -> Array:
        u, u_part = _standardised(xp, left, epsilon, ddof)
        v, v_part = _standardised(xp, right, epsilon, ddof)
        shared = u.T @ v
        cosines = xp.diagonal(shared).copy()
        # 1 − cos from the difference of the columns, which does not cancel; 1 if one is zero
        lacking = 0.5 * (2 - (u_part > 0).astype("float64") - (v_part > 0))
        u -= v
        u *= u
        parts = u_part * v_part
        apart = 0.5 * u.sum(axis=0) + lacking + cosines * (1 - parts)
        shared *= u_part[:, None]
        shared *= v_part
        xp.fill_diagonal(shared, 0)
        return xp.square(apart).sum() + named["lambda"] * xp.square(shared).sum()

    return _over_batches(xp, (left, right), batch, value)


def _standardised(xp: ArrayModule, view: Array, epsilon: float, ddof: int) -> tuple[Array, Array]:
    """Centred columns at length 1, and by how much the deviation that divides is larger (≤ 1).

    Both are 0 for a constant column.
    """
    view = _centred(xp, view)
    rows = len(view)
    size = xp.sqrt((view * view).sum(axis=0))
    constant = size == 0
    view /= xp.where(constant, 1, size)
    if epsilon == 0 and ddof == 0:
        return view, xp.where(constant, 0.0, 1.0)
    divisor = size / (rows - ddof) ** 0.5 + epsilon if rows > ddof else xp.full_like(size, xp.nan)
    return view, xp.where(constant, 0.0, size / rows**0.5 / divisor)


@loss(
    summary="VICReg: variance, invariance and covariance of two views",
    formula="25 · s + 25 · (v(left) + v(right)) + 1 · (c(left) + c(right)): s = 1/N Σ ‖lᵢ − rᵢ‖²,\n"
    "v = 1/D Σⱼ max(0, γ − √(Varⱼ + ε)), c = 1/D Σ_{j≠k} Cov²ⱼₖ, both over N − 1",
    inputs=(_LEFT, _RIGHT),
    params=(
        Param("invariance", 25.0, "the weight of s, the views' squared distance", least=0),
        Param("variance", 25.0, "the weight of v, the features' lack of spread", least=0),
        Param("covariance", 1.0, "the weight of c, what the features share", least=0),
        Param("gamma", 1.0, "γ, the deviation from which a feature costs nothing", least=0),
        Param("epsilon", 1e-4, "ε, is added to each variance", least=0),
        Param(
            "per_feature",
            False,
            "whether s is divided by D, as in the paper's program but not in its equation",
        ),
        _BATCH,
    ),
    whole=True,
    single=True,
    memory="centred copies of both views, and as many numbers as there are pairs of features",
    use="Whether two views agree (s) without all embeddings being the same (v) or all features "
    "saying the same (c). Published numbers mostly have s per feature: say which.",
    traits=("symmetric", "nonnegative"),
    reference="Bardes, Ponce & LeCun 2022, VICReg: Variance-Invariance-Covariance Regularization "
    "for Self-Supervised Learning, ICLR, eq. 1 to 6",
    example=Example(
        {"left": [[0.0, 2.0], [2.0, 0.0]], "right": [[0.0, 3.0], [2.0, 1.0]]},
        33.0,  # 25·1 + 25·0 + 1·(½(2·4) + ½(2·4)): variances 2, covariances −2
    ),
)
def vicreg(
    xp: ArrayModule,
    left: Array,
    right: Array,
    *,
    invariance: float,
    variance: float,
    covariance: float,
    gamma: float,
    epsilon: float,
    per_feature: bool,
    batch: int | None,
) -> Array:
    def value(left: Array, right: Array) -> Array:
        rows, features = left.shape
        apart = xp.square(left.astype("float64") - right).sum() / rows
        total = invariance * (apart / features if per_feature else apart)
        for view in (left, right):
            centred = _centred(xp, view)
            shared = centred.T @ centred / (rows - 1 if rows > 1 else nan)
            spread = xp.sqrt(xp.diagonal(shared) + epsilon)
            total = total + variance * xp.maximum(gamma - spread, 0).mean()
            xp.fill_diagonal(shared, 0)
            total = total + covariance * xp.square(shared).sum() / features
        return total

    return _over_batches(xp, (left, right), batch, value)
