"""The inputs of a block as the losses get them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lossctl.backend import Backend
from lossctl.losses.definition import Input, InvalidInput
from lossctl.reduce.grouping import Flags

AnyArray = npt.NDArray[Any]


class Arrays:
    """The inputs of some rows, in the types that the losses compute in, on the device.

    An input is converted once for the losses that take numbers, and not at all for those that
    take labels: what one loss takes changes nothing for another.
    """

    def __init__(self, given: Mapping[str, AnyArray], backend: Backend, dtype: str | None) -> None:
        self.given, self.backend, self.dtype = given, backend, dtype
        self.rows = max(map(len, given.values()))
        self._converted: dict[tuple[str, Any], Any] = {}

    def get(self, name: str, item: Input) -> Any:
        """The input of this name, for a loss that declares it so.

        Raises:
            InvalidInput: The loss does not take complex numbers.
        """
        array = self.given[name]
        if array.dtype.kind == "c" and not item.complex:
            raise InvalidInput(
                item.name, None, "holds complex numbers", "give their real parts or absolute values"
            )
        dtype = array.dtype if item.labels else self._computed_in(array.dtype)
        key = name, dtype
        if key not in self._converted:
            converted = _read_only(array.astype(dtype, copy=False))
            self._converted[key] = self.backend.device(converted)
        return self._converted[key]

    def at(self, rows: Flags) -> Arrays:
        """Some of the rows."""
        some = {name: array[rows] for name, array in self.given.items()}
        return Arrays(some, self.backend, self.dtype)

    def _computed_in(self, given: np.dtype[Any]) -> np.dtype[Any]:
        """The type for numbers of a type."""
        if self.dtype is not None and given.kind != "c":
            return np.dtype(self.dtype)
        if given.kind == "f" and given.itemsize == 2:
            return np.dtype(np.float32)
        if given.kind in "biu" or (given.kind == "f" and given.itemsize > 8):
            return np.dtype(np.float64)
        return given


def _read_only(array: AnyArray) -> AnyArray:
    """The array for kernels, which may not write into what other losses read too."""
    found = array.view()
    found.flags.writeable = False
    return found
