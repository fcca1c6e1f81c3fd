"""Columns as Arrow batches, for the writers that pyarrow has.

By their buffers, not with `pyarrow.array`, which imports pandas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lossctl.errors import DataError
from lossctl.output import SAMPLE
from lossctl.report import named
from lossctl.sources.coded import Coded, Values


class ArrowWriter:
    """Writes batches through a writer of pyarrow, made when the columns are known."""

    def __init__(
        self, path: str, make: Callable[[str, pa.Schema], Any], *, text: bool = False
    ) -> None:
        """Start a file.

        Args:
            path: Where it goes.
            make: The writer of a path and a schema.
            text: Whether keys and groups are text whatever their type, so that any may follow.
        """
        self._path, self._make, self._text, self._writer = path, make, text, None
        self._schema: pa.Schema | None = None
        with open(path, "wb"):  # so that a path that cannot be written is known at once
            pass

    def write(self, side: Mapping[str, Values], losses: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append rows."""
        arrays = {
            name: _column(values, self._text and name != SAMPLE) for name, values in side.items()
        }
        arrays |= {name: numbers(array) for name, array in losses.items()}
        if self._schema is None:
            self._schema = pa.schema([(name, array.type) for name, array in arrays.items()])
            self._writer = self._make(self._path, self._schema)
        cast = [_cast(name, arrays[name], self._schema.field(name).type) for name in arrays]
        assert self._writer is not None
        self._writer.write_batch(pa.RecordBatch.from_arrays(cast, schema=self._schema))

    def close(self) -> None:
        """Close the writer."""
        if self._writer is not None:
            self._writer.close()


def _cast(name: str, array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    try:
        return array.cast(kind)
    except pa.ArrowInvalid:
        raise DataError(
            f"cannot write the column {name}: it holds {kind} first, and {array.type} further down",
            "name a .csv or .jsonl file, which take values of any type",
        ) from None


def _column(values: Values, text: bool) -> pa.Array:
    """A column of any values."""
    if isinstance(values, Coded):
        return _column(values.words, text).take(numbers(values.codes))
    array = values
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype.kind in "biuf":
        found = numbers(array)
        return found.cast(pa.string()) if text else found
    if array.dtype.kind not in "biufO":
        array = array.astype(str)  # dates with all their digits
    listed = [value if type(value) is str else named(value) for value in array.tolist()]
    missing = np.fromiter((value is None for value in listed), bool, len(listed))
    kinds = {type(value) for value in listed if value is not None}
    dtype = None if text or len(kinds) != 1 else {bool: "?", int: "<i8", float: "<f8"}.get(*kinds)
    if dtype is not None:
        try:
            filled = [value or 0 for value in listed]
            return numbers(np.array(filled, dtype), missing if missing.any() else None)
        except OverflowError:  # an integer of more than 64 bits
            pass
    return texts(["" if value is None else _text(value) for value in listed], missing)


def numbers(array: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Numbers or booleans, of which some may be null."""
    valid = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    kind = array.dtype.newbyteorder("=")
    held = np.ascontiguousarray(array, kind)
    if kind.kind == "b":
        held = np.packbits(held, bitorder="little")
    return pa.Array.from_buffers(pa.from_numpy_dtype(kind), len(array), [valid, pa.py_buffer(held)])


def texts(listed: list[str], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Texts, of which some may be null; what UTF-8 cannot hold is escaped."""
    encoded = [text.encode("utf-8", "backslashreplace") for text in listed]
    ends = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, encoded), np.int32, len(encoded)), out=ends[1:])
    valid = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    buffers = [valid, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
