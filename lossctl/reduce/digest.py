"""A digest of the inputs' values, the same whatever format they were read from.

It is a checksum, not a seal: it tells two data sets apart, not two adversaries. Every value
counts as the float64 that it is evaluated as: float32 as its cast, an integer as the float
that it equals, −0 as 0, and every NaN as one and the same.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from lossctl.align.rows import Batch

Words = npt.NDArray[np.uint64]

LANES = 1 << 14  # what a core keeps near: the digest takes little longer than reading the values
_GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)
_FIRST, _SECOND = np.uint64(0xBF58_476D_1CE4_E5B9), np.uint64(0x94D0_49BB_1331_11EB)
_SWAPPED = np.dtype(np.uint64).newbyteorder("S")
_27, _31 = np.uint64(27), np.uint64(31)


class _Scratch(threading.local):
    """Memory of each thread's own: asking for it anew takes as long as the digest."""

    def __init__(self) -> None:
        self.lanes, self.shifted = np.empty(LANES, np.uint64), np.empty(LANES, np.uint64)
        self.values = np.empty(LANES)


_SCRATCH = _Scratch()


def block(batch: Batch, missing: Collection[str] = ()) -> bytes:
    """The digest of one block's inputs and weight.

    Args:
        batch: The block.
        missing: The inputs that hold NaN.
    """
    found = b"".join(
        name.encode() + b"=" + _array(array, name in missing)
        for name, array in sorted(batch.inputs.items())
    )
    if batch.weight is None:
        return found
    return found + b"|" + _array(batch.weight, "weight" in missing)


@lru_cache(maxsize=1)
def _keys() -> Words:
    """What each lane starts from, so that a value counts for where it stands."""
    return np.arange(1, LANES + 1, dtype=np.uint64) * _FIRST


def chain(so_far: int, block: bytes) -> int:
    """The digest of the blocks so far and the next one: splitmix64 over its words.

    Not by hashlib, whose import would be a tenth of a small evaluation.
    """
    for start in range(0, len(block), 8):
        so_far ^= int.from_bytes(block[start : start + 8], "little")
        so_far = (so_far + 0x9E37_79B9_7F4A_7C15) % (1 << 64)
        so_far = (so_far ^ (so_far >> 30)) * 0xBF58_476D_1CE4_E5B9 % (1 << 64)
        so_far = (so_far ^ (so_far >> 27)) * 0x94D0_49BB_1331_11EB % (1 << 64)
        so_far ^= so_far >> 31
    return so_far


def _array(array: npt.NDArray[Any], missing: bool) -> bytes:
    """A polynomial of the values for each lane, and the sum of their well mixed ends.

    The coefficients are the values' bits with the bytes exchanged, so that what changes in
    round numbers, in sums and in signs stands in low bits, which multiplying carries upwards:
    in the highest bits two changes would cancel.
    """
    if array.dtype.kind == "c":
        flat = np.ascontiguousarray(array, np.complex128).reshape(-1).view(np.float64)
    elif array.dtype.kind in "biuf":
        flat = np.ascontiguousarray(array).reshape(-1)
    else:
        flat = np.asarray(array, np.float64).reshape(-1)
    size = min(len(flat), LANES)
    lanes, values = _SCRATCH.lanes[:size], _SCRATCH.values[:size]
    lanes[:] = _keys()[:size]
    with np.errstate(all="ignore"):
        for start in range(0, len(flat), LANES):
            part = flat[start : start + LANES]
            if len(part) < size:
                lanes, values = lanes[: len(part)], values[: len(part)]
            np.add(part, 0.0, out=values, dtype=np.float64)  # −0 + 0 is 0
            if missing:
                values[np.isnan(values)] = np.nan
            lanes *= _GOLDEN
            lanes += values.view(_SWAPPED)
        lanes = _SCRATCH.lanes[:size]
        shifted = np.right_shift(lanes, _27, out=_SCRATCH.shifted[:size])
        lanes ^= shifted
        lanes *= _SECOND
        np.right_shift(lanes, _31, out=shifted)
        lanes ^= shifted
    about = f"{array.shape}{'c' if array.dtype.kind == 'c' else ''}"
    return int(np.add.reduce(lanes)).to_bytes(8, "little") + about.encode()
