"""JSON lines: one object a sample; what is not finite is null.

The lines of many rows are put together by pyarrow, column by column: an encoder of JSON would
take many times as long for each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lossctl.output.arrow import numbers, texts
from lossctl.report import named
from lossctl.sources.coded import Coded, Values

_ROWS = 1 << 14  # put together at once
_LEAST, _MOST = 1e-4, 1e10  # between these, Python and pyarrow write floats without exponents
_encoded = json.JSONEncoder(ensure_ascii=False, default=str).encode


class JsonLinesWriter:
    """Writes an object a row."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "wb")  # noqa: SIM115 - see close

    def write(self, side: Mapping[str, Values], losses: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append rows."""
        columns = {**side, **losses}
        for start in range(0, len(next(iter(columns.values()))), _ROWS):
            rows = slice(start, start + _ROWS)
            self._file.write(_lines({name: values[rows] for name, values in columns.items()}))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _lines(columns: Mapping[str, Values]) -> memoryview:
    """The lines of all rows."""
    parts: list[pa.Array | pa.Scalar] = []
    for name, values in columns.items():
        parts += [_constant(f"{', ' if parts else '{'}{_encoded(name)}: "), _json(values)]
    lines = pc.binary_join_element_wise(*parts, _constant("}\n"), _constant(""))
    _, ends, data = lines.buffers()  # in which they lie one after the other
    return memoryview(data)[: np.frombuffer(ends, np.int32)[len(lines)]]


def _constant(text: str) -> pa.Scalar:
    return texts([text])[0]


def _json(values: Values) -> pa.Array:
    """Each value as JSON."""
    if isinstance(values, Coded):
        return _json(values.words).take(numbers(values.codes))
    if values.dtype.kind == "f":
        return _floats(values.astype(np.float64))
    if values.dtype.kind in "biu":
        return numbers(values).cast(pa.string())
    # NumPy's dates as text: as lists they lose their unit
    listed = (values.astype(str) if values.dtype.kind in "mM" else values).tolist()
    return texts([_encoded(_strict(named(item))) for item in listed])


def _strict(item: Any) -> Any:
    return None if isinstance(item, float) and not np.isfinite(item) else item


def _floats(array: npt.NDArray[np.float64]) -> pa.Array:
    """The shortest digits that are read as the same float, as Python writes them."""
    found = numbers(array).cast(pa.string())
    whole = array == np.trunc(array)
    if whole.any():
        found = pc.if_else(numbers(whole), _with_point(found), found)
    size = np.abs(array)
    other = ~(((size >= _LEAST) & (size < _MOST)) | (size == 0))
    if other.any():
        listed = [_encoded(_strict(item)) for item in array[other].tolist()]
        found = pc.replace_with_mask(found, numbers(other), texts(listed))
    return found


def _with_point(numbers: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(numbers, _constant(".0"), _constant(""))


def open_writer(path: str) -> JsonLinesWriter:
    """Start a file."""
    return JsonLinesWriter(path)
