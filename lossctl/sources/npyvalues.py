"""From the bytes of an NPY file to arrays in native byte order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    from lossctl.sources.table import Arrays, Want

    Array = npt.NDArray[Any]


def arrays_of(raw: Array, names: Mapping[str, Want], prefix: str) -> Arrays:
    """Split records into their fields; an array without fields is one column."""
    if not raw.dtype.names:
        return {prefix: finished(raw)}
    wanted = {f"{prefix}.{field}" if prefix else field: field for field in raw.dtype.names}
    return {name: finished(raw[wanted[name]]) for name in names}


def finished(array: Array) -> Array:
    """Make an array native, contiguous and of a type that the rest computes with."""
    import numpy as np

    if array.dtype.kind in "SUMm":
        return _objects(array)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)  # sums are float64 anyway
    if array.dtype.kind == "c" and array.dtype.itemsize > 16:
        array = array.astype(np.complex128)
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def _objects(array: Array) -> Array:
    import numpy as np

    if array.dtype.kind == "S":
        return np.char.decode(array, "utf-8").astype(object)
    if array.dtype.kind == "U":
        return array.astype(object)
    # Text, as in the other formats: datetime knows no nanoseconds.
    missing = np.isnat(array)
    texts = array.astype(str) if array.dtype.kind == "m" else np.datetime_as_string(array)
    out: Array = np.char.replace(texts, "T", " ").astype(object)
    out[missing] = None
    return out
