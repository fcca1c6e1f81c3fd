"""Per-sample losses to a file: written aside as they come, renamed when all is well."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from lossctl.errors import DataError, UsageError, nearest

if TYPE_CHECKING:
    import numpy.typing as npt

    from lossctl.reduce.engine import Rows

FORMATS = {".csv": "delimited", ".parquet": "parquet", ".npy": "npy", ".jsonl": "jsonl"}
"""By extension, the module that writes it."""


class Writer(Protocol):
    """Writes columns of equal length, batch by batch."""

    def write(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """Append rows."""
        ...

    def close(self) -> None:
        """Write what is left, and close."""
        ...


def check(path: str) -> None:
    """Refuse a path whose extension is no format, or whose folder is not there.

    Raises:
        UsageError: With the formats that there are.
    """
    _, extension = os.path.splitext(path)
    if extension.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        hint = nearest(extension.lower(), list(FORMATS)) or f"name a file that ends in {known}"
        raise UsageError(f"--output {path}: the extension {extension!r} is no format", hint)
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise UsageError(f"--output {path}: there is no folder {folder}", "make it first")
    if os.path.isdir(path):
        raise UsageError(f"--output {path} is a folder", "name a file")


class Output:
    """A sink that writes one row a sample: its number, key, groups and losses."""

    def __init__(self, writer: Writer, labels: list[str], key: str | None, by: list[str]) -> None:
        self.writer, self.labels, self.key, self.by = writer, labels, key, by

    def write(self, rows: Rows) -> None:
        """Take in the next samples."""
        import numpy as np

        columns: dict[str, npt.NDArray[Any]] = {
            "sample": np.arange(rows.start, rows.start + rows.samples)
        }
        if self.key is not None and rows.batch.key is not None:
            columns[self.key] = _placed(rows.batch.key, rows)
        for name, array in zip(self.by, rows.batch.by):
            columns[name] = _placed(array, rows)
        columns |= dict(zip(self.labels, rows.losses))
        self.writer.write(columns)


def _placed(array: npt.NDArray[Any], rows: Rows) -> npt.NDArray[Any]:
    """One entry for each sample, null for those that were skipped."""
    import numpy as np

    if rows.kept is None:
        return array
    found = np.full(rows.samples, None, dtype=object)
    found[rows.kept] = array
    return found


@contextmanager
def opened(path: str, labels: list[str], key: str | None, by: list[str]) -> Iterator[Output]:
    """The sink for a path. Nothing appears at the path unless all went well.

    Raises:
        DataError: The file cannot be written.
    """
    aside = f"{path}.part-{os.getpid()}"
    module = import_module(f"lossctl.output.{FORMATS[os.path.splitext(path)[1].lower()]}")
    make: Callable[[str], Writer] = module.open_writer
    try:
        try:
            writer = make(aside)
            try:
                yield Output(writer, labels, key, by)
            finally:
                writer.close()
            os.replace(aside, path)
        except OSError as error:
            raise DataError(f"cannot write {path}: {_reason(error)}", _way_out(error)) from None
    finally:
        if os.path.exists(aside):
            os.unlink(aside)


def _reason(error: OSError) -> str:
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


def _way_out(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room, or name a file on another disk"
    return "name a file that you may write"
