"""Embeddings and metric learning: vectors that should be near to or far from each other.

Lengths and angles are computed in float64, where float32 vectors neither overflow nor
cancel; float64 vectors too large or too small to be squared are scaled first.
"""

from __future__ import annotations

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


def _extreme(xp: ArrayModule, squared: Array) -> Array:
    """Where a sum of squares is 0, NaN or has lost something to overflow or underflow."""
    return ~((squared > 1e-280) & (squared < 1e280))


def _peak(xp: ArrayModule, vectors: Array) -> Array:
    """The largest component's magnitude along the last axis, kept; 1 for a zero vector."""
    peak = xp.abs(vectors).max(axis=-1, keepdims=True)
    return xp.where(peak == 0, 1, peak)


def _length(xp: ArrayModule, vectors: Array) -> Array:
    """The euclidean length along the last axis, of float64 vectors of any scale."""
    squared = (vectors * vectors).sum(axis=-1)
    extreme = _extreme(xp, squared)
    length = xp.sqrt(squared)
    if bool(extreme.any()):
        peak = _peak(xp, vectors)
        scaled = xp.sqrt(xp.square(vectors / peak).sum(axis=-1)) * peak[..., 0]
        # where a component is infinite, inf/inf would make the length NaN
        length = xp.where(extreme & xp.isfinite(peak[..., 0]), scaled, length)
    return length


def _unit(xp: ArrayModule, vectors: Array) -> tuple[Array, Array]:
    """The vectors at length 1, in float64, and which are zero (these stay zero)."""
    vectors = vectors.astype("float64", copy=False)
    squared = (vectors * vectors).sum(axis=-1, keepdims=True)
    extreme = _extreme(xp, squared)
    if bool(extreme.any()):
        vectors = xp.where(extreme, vectors / _peak(xp, vectors), vectors)
        squared = (vectors * vectors).sum(axis=-1, keepdims=True)
    zero = squared == 0
    return vectors / xp.sqrt(xp.where(zero, 1, squared)), zero[..., 0]


def _cosine(xp: ArrayModule, left: Array, right: Array) -> Array:
    """The cosine along the last axis, 0 where a vector is zero."""
    product = _unit(xp, left)[0] * _unit(xp, right)[0]
    return xp.clip(product.sum(axis=-1), -1, 1)


def _one_minus_cosine(xp: ArrayModule, left: Array, right: Array) -> Array:
    """1 − cosine along the last axis, without the cancellation for nearly equal directions."""
    left, left_zero = _unit(xp, left)
    right, right_zero = _unit(xp, right)
    # ½‖u − v‖² = ½(‖u‖² + ‖v‖²) − cos, and a zero vector lacks its ½
    return 0.5 * (xp.square(left - right).sum(axis=-1) + left_zero + right_zero)


def _dot(xp: ArrayModule, left: Array, right: Array) -> Array:
    """Σ left·right along the last axis; not NaN where products of both signs overflow."""
    total = (left * right).sum(axis=-1)
    lost = ~xp.isfinite(total)
    if bool(lost.any()):
        left_peak, right_peak = _peak(xp, left), _peak(xp, right)
        scaled = (left / left_peak * (right / right_peak)).sum(axis=-1)
        total = xp.where(lost, scaled * left_peak[..., 0] * right_peak[..., 0], total)
    return total


def _by_label(xp: ArrayModule, label: Array, first: Array, if_first: Array, other: Array) -> Array:
    """`if_first` where `first` holds of the label, else `other`; NaN where the label is."""
    return xp.where(label == label, xp.where(first, if_first, other), xp.nan)


_DIRECTIONS = (
    Input("prediction", "(N, D) or (N, …, D)"),
    Input("target", "(N, D) or (N, …, D)"),
)


@loss(
    aliases=("cosine_similarity",),
    summary="Cosine proximity: the cosine similarity, negated",
    formula="−cos(ŷ, y) along the last axis; cos is 0 where a vector is zero",
    inputs=_DIRECTIONS,
    use="Directions where lengths do not matter; from −1 (same) to 1 (opposite). "
    "It says nothing of a prediction's length, and short noisy vectors count as much as long ones.",
    traits=("bounded", "symmetric"),
    reference="keras.losses.CosineSimilarity, without its epsilon",
    example=Example({"prediction": [[1, 2], [3, 4]], "target": [[2, 1], [4, 3]]}, -0.88),
)
def cosine_proximity(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return -_cosine(xp, prediction, target)


@loss(
    summary="Cosine distance",
    formula="1 − cos(ŷ, y) along the last axis; 1 where a vector is zero",
    inputs=_DIRECTIONS,
    use="As cosine_proximity, from 0 (same direction) to 2, and accurate for nearly equal "
    "directions. No metric: the triangle inequality does not hold.",
    traits=("bounded", "symmetric"),
    reference="scipy.spatial.distance.cosine, for one pair",
    example=Example({"prediction": [[1, 2], [3, 4]], "target": [[2, 1], [-4, 3]]}, 0.6),
)
def cosine_distance(xp: ArrayModule, prediction: Array, target: Array) -> Array:
    return _one_minus_cosine(xp, prediction, target)


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
        Param("similar", 1, "the label of a similar pair (0 in the paper)", least=0, most=1),
    ),
    use="Pairs labelled similar or not. Its value hangs on the embedding's scale and on the "
    "share of similar pairs; libraries differ in ½, margin and labels, so state them.",
    traits=("asymmetric",),
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
        distance = _length(xp, left.astype("float64", copy=False) - right)
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
    ),
    use="Order of distances where no absolute distance is known. Many triplets cost nothing: "
    "compare only over the same triplets, with the same margin, distance and normalisation.",
    traits=("asymmetric",),
    reference="Schroff, Kalenichenko & Philbin 2015, FaceNet, CVPR (squared distances)",
    example=Example(
        {
            "anchor": [[0, 0], [1, 1]],
            "positive": [[1, 1], [2, 1]],
            "negative": [[1.5, 0], [1, 1.5]],
        },
        1.25,
    ),
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
) -> Array:
    points = (anchor, positive, negative)
    if distance == "cosine":
        anchor, positive, negative = (_unit(xp, point)[0] for point in points)
    else:
        anchor, positive, negative = (point.astype("float64", copy=False) for point in points)
    gap = _distance_gap(xp, anchor, positive, negative, distance)
    if swap:
        gap = xp.maximum(gap, _distance_gap(xp, positive, anchor, negative, distance))
    return xp.maximum(gap + margin, 0)


def _distance_gap(xp: ArrayModule, anchor: Array, near: Array, far: Array, distance: str) -> Array:
    """d(anchor, near) − d(anchor, far), as a product with far − near.

    Two large distances that hardly differ thus lose no digits to their subtraction.
    """
    if distance == "cosine":
        return _dot(xp, far - near, anchor)
    to_near, to_far = anchor - near, anchor - far
    both = to_near + to_far
    if distance == "euclidean":
        lengths = _length(xp, to_near) + _length(xp, to_far)
        both = both / xp.where(lengths == 0, 1, lengths)[..., None]
    return _dot(xp, far - near, both)


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
    traits=("robust", "convex", "asymmetric"),
    reference="Herbrich, Graepel & Obermayer 2000; torch.nn.MarginRankingLoss",
    example=Example(
        {"positive": [2, 0.5], "negative": [1, 2], "target": [-1, 1]}, 1.75, {"margin": 0.5}
    ),
    conventions={"torch": Convention("torch.nn.functional.margin_ranking_loss")},
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
    ),
    use="Pairs labelled similar (1) or not (−1), judged by direction alone.",
    traits=("bounded", "asymmetric"),
    reference="torch.nn.CosineEmbeddingLoss, without the 1e-12 that it adds to squared lengths",
    example=Example(
        {"left": [[1, 2], [3, 4]], "right": [[2, 1], [4, 3]], "target": [1, -1]},
        0.33,
        {"margin": 0.5},
    ),
)
def cosine_embedding(
    xp: ArrayModule, left: Array, right: Array, target: Array, *, margin: float
) -> Array:
    apart = xp.maximum(_cosine(xp, left, right) - margin, 0)
    return _by_label(xp, target, target == 1, _one_minus_cosine(xp, left, right), apart)


@loss(
    summary="Hinge embedding loss of distances",
    formula="d where y = 1, max(0, m − d) where y = −1",
    inputs=(Input("prediction", help="the distances d"), Input("target", domain=SIGN)),
    params=(Param("margin", 1.0, "the distance from which dissimilar pairs cost nothing"),),
    use="As contrastive, linear in distances of any kind, and so kinder to outliers.",
    traits=("robust", "asymmetric"),
    reference="torch.nn.HingeEmbeddingLoss",
    example=Example({"prediction": [0.5, 0.25], "target": [1, -1]}, 0.625),
    conventions={"torch": Convention("torch.nn.functional.hinge_embedding_loss")},
)
def hinge_embedding(xp: ArrayModule, prediction: Array, target: Array, *, margin: float) -> Array:
    pushed = xp.maximum(margin - prediction, 0)
    return _by_label(xp, target, target == 1, prediction, pushed)
