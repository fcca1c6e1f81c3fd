"""JSON lines: one object a sample; what is not finite is null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt


class JsonLinesWriter:
    """Writes an object a row."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "w", encoding="utf-8", newline="\n")  # noqa: SIM115 - see close

    def write(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append rows."""
        lists = [[_strict(item) for item in array.tolist()] for array in columns.values()]
        for row in zip(*lists):
            text = json.dumps(dict(zip(columns, row)), ensure_ascii=False, default=str)
            self._file.write(text + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _strict(item: Any) -> Any:
    return None if isinstance(item, float) and not math.isfinite(item) else item


def open_writer(path: str) -> JsonLinesWriter:
    """Start a file."""
    return JsonLinesWriter(path)
