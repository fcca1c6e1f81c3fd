"""JSON lines: one object a sample; what is not finite is null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from lossctl.report import named


class JsonLinesWriter:
    """Writes an object a row."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "wb")  # noqa: SIM115 - see close

    def write(
        self, side: Mapping[str, npt.NDArray[Any]], losses: Mapping[str, npt.NDArray[Any]]
    ) -> None:
        """Append rows."""
        names = (*side, *losses)
        lists = [[_strict(named(item)) for item in _listed(array)] for array in side.values()]
        lists += [[_strict(item) for item in array.tolist()] for array in losses.values()]
        for row in zip(*lists):
            text = json.dumps(dict(zip(names, row)), ensure_ascii=False, default=str)
            self._file.write(text.encode("utf-8", "backslashreplace") + b"\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _listed(array: npt.NDArray[Any]) -> list[Any]:
    # NumPy's dates as text: as lists they lose their unit
    found: list[Any] = (array.astype(str) if array.dtype.kind in "mM" else array).tolist()
    return found


def _strict(item: Any) -> Any:
    return None if isinstance(item, float) and not math.isfinite(item) else item


def open_writer(path: str) -> JsonLinesWriter:
    """Start a file."""
    return JsonLinesWriter(path)
