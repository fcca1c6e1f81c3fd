"""Embeddings and metric learning: pairs and triplets of vectors, each a sample of its own."""

from __future__ import annotations

from math import sqrt

from lossctl.losses.definition import (
    Array,
    ArrayModule,
    Convention,
    Domain,
    Example,
    Input,
    Param,
    loss,
)
from lossctl.losses.domains import NON_NEGATIVE, SIGN, require
from lossctl.losses.vectors import LEAST_LENGTH, cosine, dot, length, one_minus_cosine, unit

_ZERO = Param(
    "zero",
    "orthogonal",
    "what a zero vector is to others: orthogonal (cosine 0), or undefined (NaN)",
    choices=("orthogonal", "undefined"),
)


_CLOSE = 1e-2  # of their sum, a difference of two distances below it has lost two digits


def _defined(xp: ArrayModule, values: Array, zero: str, *vectors: Array) -> Array:
    """The values; under zero=undefined NaN where one of the vectors is zero."""
    if zero == "undefined":
        for vector in vectors:
            values = xp.where((vector == 0).all(axis=-1), xp.nan, values)
    return values


def _by_label(xp: ArrayModule, label: Array, first: Array, if_first: Array, other: Array) -> Array:
    """`if_first` where `first` holds of the label, else `other`; NaN where the label is."""
    return xp.where(label == label, xp.where(first, if_first, other), xp.nan)


_DIRECTIONS = (
    Input("prediction", "(N, …, D)"),
    Input("target", "(N, …, D)"),
)


@loss(
    aliases=("cosine_similarity",),
    summary="Cosine proximity: the cosine similarity, negated",
    formula="−cos(ŷ, y) along the last axis; cos is 0 where a vector is zero",
    inputs=_DIRECTIONS,
    params=(
        LEAST_LENGTH,
        _ZERO,
        Param("negate", True, "whether the cosine is negated, so that less is better"),
    ),
    use="Directions where lengths do not matter; from −1 (same) to 1 (opposite). "
    "It says nothing of a prediction's length, and short noisy vectors count as much as long ones.",
    traits=("bounded", "symmetric"),
    reference="keras.losses.CosineSimilarity, without its least length",
    example=Example({"prediction": [[1, 2], [3, 4]], "target": [[2, 1], [4, 3]]}, -0.88),
    conventions={
        "keras": Convention(
            "keras.losses.CosineSimilarity",
            {"least_length": 1e-7},
            multiplies=True,
            empty=0.0,
            note="vectors shorter than 1e-7 count for less",
        ),
        "optax": Convention(
            "optax.losses.cosine_similarity",
            {"negate": False, "zero": "undefined"},
            note="the similarity itself, so that more is better; NaN where a vector is zero",
        ),
    },
    contrast={"prediction": [[3e-8, 4e-8], [3, 4]], "target": [[4, 3], [4, 3]]},
)
def cosine_proximity(
    xp: ArrayModule,
    prediction: Array,
    target: Array,
    *,
    least_length: float,
    zero: str,
    negate: bool,
) -> Array:
    found = cosine(xp, prediction, target, least_length)
    return _defined(xp, -found if negate else found, zero, prediction, target)


@loss(
    summary="Cosine distance",
    formula="1 − cos(ŷ, y) along the last axis; 1 where a vector is zero",
    inputs=_DIRECTIONS,
    params=(_ZERO,),
    use="As cosine_proximity, from 0 (same direction) to 2, and accurate for nearly equal "
    "directions. No metric: the triangle inequality does not hold.",
    traits=("bounded", "symmetric", "nonnegative"),
    reference="scipy.spatial.distance.cosine, for one pair",
    example=Example({"prediction": [[1, 2], [3, 4]], "target": [[2, 1], [-4, 3]]}, 0.6),
    conventions={
        "optax": Convention(
            "optax.losses.cosine_distance",
            {"zero": "undefined"},
            note="NaN where a vector is zero",
        )
    },
    contrast={"prediction": [[0, 0], [3, 4]], "target": [[2, 1], [-4, 3]]},
)
def cosine_distance(xp: ArrayModule, prediction: Array, target: Array, *, zero: str) -> Array:
    return _defined(xp, one_minus_cosine(xp, prediction, target)[0], zero, prediction, target)


def _check_pair_label(xp: ArrayModule, values: Array, name: str) -> None:
    require(
        xp,
        (values == 0) | (values == 1),
        name,
        "has {value}, neither 0 nor 1",
        "label each pair 0 or 1; similar=0 says that 0 means a similar pair",
        values,
    )


@loss(
    summary="Contrastive loss of pairs",
    formula="½[y d² + (1 − y) max(0, m − d)²], d the euclidean distance, y = 1 for similar pairs;\n"
    "without the ½ for half=false",
    inputs=(
        Input("left", "(N, D)", optional=True),
        Input("right", "(N, D)", optional=True),
        Input("prediction", "(N,)", NON_NEGATIVE, optional=True, help="the pairs' distances d"),
        Input("target", "(N,)", Domain("{0, 1}", _check_pair_label), help="similar or not"),
    ),
    alternatives=(("left", "right", "target"), ("prediction", "target")),
    params=(
        Param("margin", 1.0, "the distance from which dissimilar pairs cost nothing", least=0),
        Param("half", True, "whether the ½ of the paper stands before the sum"),
        Param("similar", 1, "the label of a similar pair (0 in the paper)", choices=(0, 1)),
    ),
    use="Pairs labelled similar or not. Its value hangs on the embedding's scale and on the "
    "share of similar pairs; libraries differ in ½, margin and labels, so state them.",
    traits=("asymmetric", "nonnegative"),
    reference="Hadsell, Chopra & LeCun 2006, Dimensionality Reduction by Learning an Invariant "
    "Mapping, CVPR",
    example=Example(
        {"left": [[0, 0], [1, 2]], "right": [[3, 4], [1, 2.5]], "target": [1, 0]}, 6.3125
    ),
)
def contrastive(
    xp: ArrayModule,
    left: Array | None,
    right: Array | None,
    prediction: Array | None,
    target: Array,
    *,
    margin: float,
    half: bool,
    similar: int,
) -> Array:
    distance: Array = prediction
    if left is not None:
        distance = length(xp, left.astype("float64", copy=False) - right)
    pulled, pushed = xp.square(distance), xp.square(xp.maximum(margin - distance, 0))
    return (0.5 if half else 1) * _by_label(xp, target, target == similar, pulled, pushed)


@loss(
    summary="Triplet margin loss",
    formula="max(0, d(a, p) − d(a, n) + m); with swap, min(d(a, n), d(p, n)) for d(a, n)",
    inputs=(
        Input("anchor", "(N, D)"),
        Input("positive", "(N, D)", help="of the anchor's kind"),
        Input("negative", "(N, D)", help="of another kind"),
    ),
    params=(
        Param("margin", 1.0, "how much farther the negative must be", least=0),
        Param(
            "distance",
            "squared_euclidean",
            "d: squared as in FaceNet, unsquared as in torch, or 1 − cosine",
            choices=("squared_euclidean", "euclidean", "cosine"),
        ),
        Param("swap", False, "whether the positive may stand for the anchor (Balntas 2016)"),
        Param("offset", 0.0, "is added to each component of a euclidean difference"),
        Param("epsilon", 0.0, "is added to a squared euclidean distance", least=0),
    ),
    use="Order of distances where no absolute distance is known. Many triplets cost nothing: "
    "compare only over the same triplets, with the same margin, distance and normalisation.",
    traits=("asymmetric", "nonnegative"),
    reference="Schroff, Kalenichenko & Philbin 2015, FaceNet, CVPR (squared distances)",
    example=Example(
        {
            "anchor": [[0, 0], [1, 1]],
            "positive": [[1, 1], [2, 1]],
            "negative": [[1.5, 0], [1, 1.5]],
        },
        1.25,
    ),
    conventions={
        "torch": Convention(
            "torch.nn.functional.triplet_margin_loss",
            {"distance": "euclidean", "offset": 1e-6},
            note="unsquared, 1e-6 added to each component of a difference",
        ),
        "optax": Convention(
            "optax.losses.triplet_margin_loss",
            {"distance": "euclidean", "epsilon": 1e-6},
            note="unsquared, 1e-6 added under the root; per sample, here its mean",
        ),
    },
    contrast={"anchor": [[0, 0]], "positive": [[0, 0]], "negative": [[0.5, 0]]},
)
def triplet(
    xp: ArrayModule,
    anchor: Array,
    positive: Array,
    negative: Array,
    *,
    margin: float,
    distance: str,
    swap: bool,
    offset: float,
    epsilon: float,
) -> Array:
    points = (anchor, positive, negative)
    if distance == "cosine":
        a, p, n = (unit(xp, point) for point in points)
        offset = 0.0
    else:
        a, p, n = (point.astype("float64", copy=False) for point in points)
    gap = _distance_gap(xp, a, (p, offset), (n, offset), margin, distance, epsilon)
    if swap:  # d(a, p) is the same, with its vector turned round
        other = _distance_gap(xp, p, (a, -offset), (n, offset), margin, distance, epsilon)
        gap = xp.maximum(gap, other)
    return xp.maximum(gap + margin, 0)


End = tuple[Array, float]  # a vector, and what is added to each component of a difference to it


def _distance_gap(
    xp: ArrayModule,
    start: Array,
    first: End,
    second: End,
    margin: float,
    distance: str,
    epsilon: float,
) -> Array:
    """d(start, first) − d(start, second); with all digits where it is next to −margin."""
    if distance == "cosine":
        return dot(xp, second[0] - first[0], start)
    near, far = (_apart(start, end) for end in (first, second))
    if distance == "euclidean":
        lengths = _softened(xp, near, epsilon), _softened(xp, far, epsilon)
    else:
        lengths = dot(xp, near, near), dot(xp, far, far)
    gap = lengths[0] - lengths[1]
    close = ~(xp.abs(gap + margin) > _CLOSE * (lengths[0] + lengths[1]))
    if bool(close.any()):
        step = second[0][close] - first[0][close]
        if first[1] != second[1]:
            step += first[1] - second[1]
        gap[close] = _factored_gap(xp, near[close], far[close], step, distance, epsilon)
    return gap


def _apart(start: Array, end: End) -> Array:
    vectors = start - end[0]
    if end[1]:
        vectors += end[1]
    return vectors


def _factored_gap(
    xp: ArrayModule, near: Array, far: Array, step: Array, distance: str, epsilon: float
) -> Array:
    """The euclidean length of `near` minus that of `far`, as a product with near − far = `step`.

    Two large distances that hardly differ thus lose no digits to their subtraction.
    """
    both = near + far
    if distance == "euclidean":
        lengths = _softened(xp, near, epsilon) + _softened(xp, far, epsilon)
        both = both / xp.where(lengths == 0, 1, lengths)[..., None]
    return dot(xp, step, both)


def _softened(xp: ArrayModule, vectors: Array, epsilon: float) -> Array:
    """√(‖v‖² + ε)."""
    size = length(xp, vectors)
    return xp.hypot(size, sqrt(epsilon)) if epsilon > 0 else size


@loss(
    summary="Margin ranking loss of score pairs",
    formula="max(0, −y(s⁺ − s⁻) + m)",
    inputs=(
        Input("positive", help="the score s⁺ that should be higher"),
        Input("negative", help="the score s⁻ that should be lower"),
        Input("target", domain=SIGN, optional=True, help="−1 turns a pair round; default 1"),
    ),
    params=(Param("margin", 0.0, "how far apart the scores must be"),),
    use="Which of two items scores higher. With margin 0, equal scores cost nothing, and so "
    "constant scores are perfect; the value scales with the scores.",
    traits=("robust", "convex", "asymmetric", "nonnegative", "shift"),
    reference="Herbrich, Graepel & Obermayer 2000; torch.nn.MarginRankingLoss",
    example=Example(
        {"positive": [2, 0.5], "negative": [1, 2], "target": [-1, 1]}, 1.75, {"margin": 0.5}
    ),
    conventions={
        "torch": Convention(
            "torch.nn.functional.margin_ranking_loss", note="the same; target must be given"
        )
    },
)
def margin_ranking(
    xp: ArrayModule, positive: Array, negative: Array, target: Array | None, *, margin: float
) -> Array:
    if margin != 0:
        # the second rounding, next to the kink, would cost a float32 loss its digits
        positive = positive.astype("float64", copy=False)
    shortfall = negative - positive
    if target is not None:
        shortfall = target.astype(shortfall.dtype, copy=False) * shortfall
    return xp.maximum(shortfall + margin, 0)


@loss(
    summary="Cosine embedding loss of pairs",
    formula="1 − cos(l, r) where y = 1, max(0, cos(l, r) − m) where y = −1",
    inputs=(Input("left", "(N, D)"), Input("right", "(N, D)"), Input("target", "(N,)", SIGN)),
    params=(
        Param(
            "margin", 0.0, "the cosine up to which dissimilar pairs cost nothing", least=-1, most=1
        ),
        Param("epsilon", 0.0, "is added to each squared length", least=0),
    ),
    use="Pairs labelled similar (1) or not (−1), judged by direction alone.",
    traits=("bounded", "asymmetric", "nonnegative"),
    reference="torch.nn.CosineEmbeddingLoss, without its epsilon",
    example=Example(
        {"left": [[1, 2], [3, 4]], "right": [[2, 1], [4, 3]], "target": [1, -1]},
        0.33,
        {"margin": 0.5},
    ),
    conventions={
        "torch": Convention(
            "torch.nn.functional.cosine_embedding_loss",
            {"epsilon": 9.999999960041972e-13},
            note="1e-12, which torch has in float32, is added to each squared length",
        )
    },
    contrast={"left": [[3e-6, 4e-6]], "right": [[4, 3]], "target": [1]},
)
def cosine_embedding(
    xp: ArrayModule, left: Array, right: Array, target: Array, *, margin: float, epsilon: float
) -> Array:
    near, similarity = one_minus_cosine(xp, left, right, epsilon)
    apart = xp.maximum(similarity - margin, 0)
    return _by_label(xp, target, target == 1, near, apart)


@loss(
    summary="Hinge embedding loss of distances",
    formula="d where y = 1, max(0, m − d) where y = −1",
    inputs=(Input("prediction", help="the distances d"), Input("target", domain=SIGN)),
    params=(Param("margin", 1.0, "the distance from which dissimilar pairs cost nothing"),),
    use="As contrastive, linear in distances of any kind, and so kinder to outliers.",
    traits=("robust", "asymmetric"),
    reference="torch.nn.HingeEmbeddingLoss",
    example=Example({"prediction": [0.5, 0.25], "target": [1, -1]}, 0.625),
    conventions={"torch": Convention("torch.nn.functional.hinge_embedding_loss", note="the same")},
)
def hinge_embedding(xp: ArrayModule, prediction: Array, target: Array, *, margin: float) -> Array:
    pushed = xp.maximum(margin - prediction, 0)
    return _by_label(xp, target, target == 1, prediction, pushed)
