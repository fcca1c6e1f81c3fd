"""What the binary losses share: targets of which some are left out."""

from __future__ import annotations

from lossctl.losses.definition import Array, ArrayModule, Elements
from lossctl.losses.domains import UNIT


def kept(xp: ArrayModule, target: Array, ignore_index: int | None) -> tuple[Array, Array | None]:
    """The target, 0 where it is to be left out, and where it takes part (None: everywhere)."""
    if ignore_index is None:
        return target, None
    keep = target != ignore_index
    target = xp.where(keep, target, 0)
    UNIT.check(xp, target, "target")
    return target, keep


def of_kept(values: Array, keep: Array | None) -> Array | Elements:
    """The values of elements of which those outside `keep` are left out."""
    return values if keep is None else Elements(values, keep.astype(values.dtype))
