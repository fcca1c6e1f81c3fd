"""The inputs of the reference cases, made from a key so that nobody has to store the arrays.

A key is a JSON object: ``{"make": "fields", "rows": 7, "seed": 1, …}`` names a maker and its
arguments; a task's own makers are in the module of its name, those of several in ``common.py``.
The programs that freeze and the tests build the same arrays from the same key.

To be the same bits on every platform and for ever, the makers draw only uniform numbers and
integers from ``numpy.random.RandomState`` (whose streams are frozen), and use only correctly
rounded operations on them (no exp, no matrix product that rounds; sums run in a fixed order). The
one logarithm is rounded to a grid far coarser than its own error. ``digest`` lets the test tell
inputs that drifted from a loss that is wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from numpy.random import RandomState

from tests.reference.inputs import common
from tests.reference.inputs.parts import Array, Arrays, Key, uniform
from tests.reference.modules import modules

__all__ = ["MAKERS", "Array", "Arrays", "Key", "build", "digest"]

MAKERS: dict[str, Callable[..., Arrays]] = {
    maker.__name__: maker
    for module in (common, *(module for _, module in modules(__name__)))
    for maker in module.MAKERS
}


def build(key: Key) -> Arrays:
    """The arrays that a key names.

    Every maker takes ``rows`` and ``dtype``; ``weight`` adds a weight for each row, and ``put``
    overwrites single entries (``{"prediction": {"3": 1e4}}``, by flat index) after all else.
    """
    arguments = dict(key)
    make = MAKERS[arguments.pop("make")]
    seed = arguments.pop("seed", 0)
    put = arguments.pop("put", {})
    weight = arguments.pop("weight", False)
    rng = RandomState(seed)
    arrays = make(rng, **arguments)
    if weight:
        rows = len(next(iter(arrays.values())))
        arrays["weight"] = uniform(rng, (rows,), 0.2, 2.0)
    for name, entries in put.items():
        for index, value in entries.items():
            arrays[name].flat[int(index)] = value
    return arrays


def digest(arrays: Arrays) -> str:
    """A short fingerprint of names, types, shapes and values."""
    sha = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        little = array.dtype.newbyteorder("<")
        sha.update(f"{name} {little.str} {array.shape};".encode())
        sha.update(array.astype(little, copy=False).tobytes())
    return sha.hexdigest()[:16]
