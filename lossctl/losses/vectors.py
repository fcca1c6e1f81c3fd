"""Lengths and angles of vectors, which stand on the last axis.

They are computed in float64, where float32 vectors neither overflow nor cancel; float64
vectors too large or too small to be squared are scaled first.
"""

from __future__ import annotations

from math import sqrt

from lossctl.losses.definition import Array, ArrayModule, Param
from lossctl.losses.shared import shared

LEAST_LENGTH = Param(
    "least_length",
    0.0,
    "shorter vectors are divided by this, and not by their length, to get their direction",
    least=0,
)
EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}


def _extreme(xp: ArrayModule, squared: Array) -> Array:
    """Where a sum of squares is 0, NaN or has lost something to overflow or underflow."""
    return ~((squared > 1e-280) & (squared < 1e280))


def _peak(xp: ArrayModule, vectors: Array) -> Array:
    """The largest component's magnitude along the last axis, kept; 1 for a zero vector."""
    peak = xp.abs(vectors).max(axis=-1, keepdims=True)
    return xp.where(peak == 0, 1, peak)


def length(xp: ArrayModule, vectors: Array) -> Array:
    """The euclidean length along the last axis, of float64 vectors of any scale."""
    squared = (vectors * vectors).sum(axis=-1)
    extreme = _extreme(xp, squared)
    found = xp.sqrt(squared)
    if bool(extreme.any()):
        peak = _peak(xp, vectors)
        scaled = xp.sqrt(xp.square(vectors / peak).sum(axis=-1)) * peak[..., 0]
        # where a component is infinite, inf/inf would make the length NaN
        found = xp.where(extreme & xp.isfinite(peak[..., 0]), scaled, found)
    return found


@shared
def unit(xp: ArrayModule, vectors: Array, least_length: float = 0.0) -> Array:
    """The vectors at length 1, in float64; zero vectors stay zero.

    Vectors shorter than `least_length` get to that fraction of 1 that their length is of it.
    """
    vectors = vectors.astype("float64", copy=False)
    squared = (vectors * vectors).sum(axis=-1, keepdims=True)
    extreme = _extreme(xp, squared)
    scaled = vectors
    if bool(extreme.any()):
        scaled = xp.where(extreme, vectors / _peak(xp, vectors), vectors)
        squared = (scaled * scaled).sum(axis=-1, keepdims=True)
    directions = scaled / xp.sqrt(xp.where(squared == 0, 1, squared))
    if least_length > 0:
        directions *= xp.minimum(length(xp, vectors) / least_length, 1)[..., None]
    return directions


def rounding_length(dtype: str) -> float:
    """√ε of a float type: the length whose square is as large as 1's rounding."""
    return sqrt(EPSILON[str(dtype)])


def cosine(xp: ArrayModule, left: Array, right: Array, least_length: float = 0.0) -> Array:
    """The cosine along the last axis, 0 where a vector is zero."""
    product = unit(xp, left, least_length) * unit(xp, right, least_length)
    return xp.clip(product.sum(axis=-1), -1, 1)


def shrinkage(xp: ArrayModule, vectors: Array, epsilon: float) -> tuple[Array, Array]:
    """‖v‖/√(‖v‖² + ε), and 1 minus its square; 0 and 1 of a zero vector."""
    size = length(xp, vectors.astype("float64", copy=False))
    if epsilon == 0:
        zero = size == 0
        return xp.where(zero, 0.0, 1.0), xp.where(zero, 1.0, 0.0)
    part = size / xp.hypot(size, sqrt(epsilon))
    return part, xp.square(sqrt(epsilon) / xp.hypot(size, sqrt(epsilon)))


def one_minus_cosine(
    xp: ArrayModule, left: Array, right: Array, epsilon: float = 0.0
) -> tuple[Array, Array]:
    """1 − cos and cos along the last axis, the first without cancellation where it is small.

    With an epsilon, cos is l·r/√((‖l‖² + ε)(‖r‖² + ε)).
    """
    left_part, left_lack = shrinkage(xp, left, epsilon)
    right_part, right_lack = shrinkage(xp, right, epsilon)
    left = unit(xp, left) * left_part[..., None]
    right = unit(xp, right) * right_part[..., None]
    # ½‖u − v‖² = ½(‖u‖² + ‖v‖²) − cos, where ‖u‖² lacks something of 1
    apart = 0.5 * (xp.square(left - right).sum(axis=-1) + left_lack + right_lack)
    return apart, xp.clip((left * right).sum(axis=-1), -1, 1)


def dot(xp: ArrayModule, left: Array, right: Array) -> Array:
    """Σ left·right along the last axis; not NaN where products of both signs overflow."""
    total = (left * right).sum(axis=-1)
    lost = ~xp.isfinite(total)
    if bool(lost.any()):
        left_peak, right_peak = _peak(xp, left), _peak(xp, right)
        scaled = (left / left_peak * (right / right_peak)).sum(axis=-1)
        total = xp.where(lost, scaled * left_peak[..., 0] * right_peak[..., 0], total)
    return total
