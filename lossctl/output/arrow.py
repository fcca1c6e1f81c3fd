"""Columns as Arrow batches, for the writers that pyarrow has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class ArrowWriter:
    """Writes batches through a writer of pyarrow, made when the columns are known."""

    def __init__(self, path: str, make: Callable[[str, pa.Schema], Any]) -> None:
        self._path, self._make, self._writer = path, make, None
        self._schema: pa.Schema | None = None
        with open(path, "wb"):  # so that a path that cannot be written is known at once
            pass

    def write(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append rows."""
        arrays = [_arrow(array) for array in columns.values()]
        if self._schema is None:
            kinds = [
                pa.string() if pa.types.is_null(array.type) else array.type for array in arrays
            ]
            self._schema = pa.schema(list(zip(columns, kinds)))
            self._writer = self._make(self._path, self._schema)
        cast = [array.cast(field.type) for array, field in zip(arrays, self._schema)]
        assert self._writer is not None
        self._writer.write_batch(pa.record_batch(cast, schema=self._schema))

    def close(self) -> None:
        """Close the writer."""
        if self._writer is not None:
            self._writer.close()


def _arrow(array: npt.NDArray[Any]) -> pa.Array:
    if array.dtype == object:
        return pa.array(array.tolist())
    return pa.array(np.ascontiguousarray(array))
