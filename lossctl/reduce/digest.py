"""A digest of the inputs' values, the same whatever format they were read from.

It is a checksum, not a seal: it tells two data sets apart, not two adversaries.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from lossctl.align.rows import Batch

_GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)


@lru_cache(maxsize=8)
def _multipliers(size: int) -> npt.NDArray[np.uint64]:
    """Odd numbers, so that a change of any one value changes the sum."""
    found = np.arange(1, size + 1, dtype=np.uint64) * _GOLDEN
    found ^= found >> np.uint64(29)
    return found | np.uint64(1)


def block(batch: Batch) -> bytes:
    """The digest of one block's inputs and weight."""
    found = b"".join(
        name.encode() + b"=" + _array(array) for name, array in sorted(batch.inputs.items())
    )
    return found if batch.weight is None else found + b"|" + _array(batch.weight)


def _array(array: npt.NDArray[Any]) -> bytes:
    kind = np.complex128 if array.dtype.kind == "c" else np.float64
    flat = np.ascontiguousarray(array, dtype=kind).reshape(-1).view(np.uint64)
    mixed = flat * _multipliers(len(flat)) if len(flat) else flat
    return np.uint64(mixed.sum(dtype=np.uint64)).tobytes() + str(array.shape[1:]).encode()
