"""NPY: (N,) float64 for one loss, (N, L) for several; losses alone, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lossctl.sources.coded import Values

_HEADER = 128  # magic, version, length, and the description padded with blanks


class NpyWriter:
    """Writes the rows as they come, and the header once their number is known."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "wb")  # noqa: SIM115 - closed by close()
        self._file.write(b" " * _HEADER)
        self._rows, self._losses = 0, 0

    def write(self, side: Mapping[str, Values], losses: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append the losses."""
        rows = np.stack(list(losses.values()), axis=-1).astype("<f8", copy=False)
        self._rows, self._losses = self._rows + len(rows), len(losses)
        self._file.write(rows.tobytes())

    def close(self) -> None:
        """Write the header and close."""
        shape = (self._rows,) if self._losses == 1 else (self._rows, self._losses)
        text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
        head = b"\x93NUMPY\x01\x00" + (_HEADER - 10).to_bytes(2, "little")
        try:
            self._file.seek(0)
            self._file.write(head + text.encode().ljust(_HEADER - 11) + b"\n")
        finally:
            self._file.close()


def open_writer(path: str) -> NpyWriter:
    """Start a file."""
    return NpyWriter(path)
