"""Arrays, series and data frames in memory, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from lossctl.errors import DataError
from lossctl.sources.table import Arrays, Column, Slab, Want


class MemoryTable:
    """An array (one column without a name), or a data frame's columns."""

    separate = False

    def __init__(self, name: str, data: Any) -> None:
        self.source = f"({name})"
        if hasattr(data, "columns") and hasattr(data, "__dataframe__"):
            self._arrays = {str(column): _array(data[column], name) for column in data.columns}
        else:
            self._arrays = {"": _array(data, name)}
        self.rows = min((len(array) for array in self._arrays.values()), default=0)
        if self.rows == 0:
            raise DataError(f"{name} holds no rows", "give at least one sample")
        self.columns = tuple(
            Column(key, str(array.dtype), array.dtype.kind in "biufc", array.shape[1:])
            for key, array in self._arrays.items()
        )

    def slabs(self, names: Mapping[str, Want], rows: int) -> Iterator[Slab]:
        """Slices of the arrays."""
        for column in self.columns:
            if names.get(column.name) and not column.numeric:
                raise DataError(
                    f"{self.source}: {column.name or 'the array'} holds {column.dtype}, no numbers",
                    "give an array of numbers",
                )
        for start in range(0, self.rows, rows):
            stop = min(start + rows, self.rows)
            arrays: Arrays = {key: self._arrays[key][start:stop] for key in names}
            yield Slab(stop - start, lambda arrays=arrays: _contiguous(arrays))  # type: ignore[misc]

    def place(self, row: int) -> str:
        """The row, counted from 0."""
        return f"row {row}"

    def close(self) -> None:
        """Nothing is open."""


def _contiguous(arrays: Arrays) -> Arrays:
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _array(data: Any, name: str) -> Any:
    if isinstance(data, np.ma.MaskedArray):  # what is masked is null
        wide: Any = data.astype(np.result_type(data.dtype, np.float32))
        data = wide.filled(np.nan)
    try:
        array = data.get() if type(data).__module__.startswith("cupy") else np.asarray(data)
    except ValueError as error:
        raise DataError(f"{name} is no array: {error}", "give rows of equal length") from None
    if array.ndim == 0:
        raise DataError(f"{name} is a single number", "give an array (N, …), one entry a sample")
    if array.dtype.kind in "biufc":
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    return array
