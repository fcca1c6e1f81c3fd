"""Per-sample losses to a file: written aside as they come, renamed when all is well."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from lossctl.errors import UsageError, nearest
from lossctl.ordered import Crew, Job
from lossctl.output.aside import Aside, said
from lossctl.report import free

if TYPE_CHECKING:
    import numpy.typing as npt

    from lossctl.reduce.engine import Rows
    from lossctl.sources.coded import Values

    Side = Mapping[str, Values]
    Losses = Mapping[str, npt.NDArray[Any]]

FORMATS = {".csv": "delimited", ".parquet": "parquet", ".npy": "npy", ".jsonl": "jsonl"}
"""By extension, the module that writes it."""


BEHIND = 2
"""The blocks that may wait to be written."""

SAMPLE = "sample"
"""The column of the samples' numbers."""


class Writer(Protocol):
    """Writes columns of equal length, batch by batch."""

    def write(self, side: Side, losses: Losses) -> None:
        """Append rows.

        Args:
            side: The samples' numbers, keys and groups by column name; of any type.
            losses: Their losses by column name, float64; no name is in both.
        """
        ...

    def close(self) -> None:
        """Write what is left, and close."""
        ...


def check(path: str, sources: Iterable[str]) -> None:
    """Refuse a path that is an input, whose extension is no format, or whose folder is not there.

    Args:
        path: Where the per-sample losses are to go.
        sources: The inputs' paths: files, folders and globs.

    Raises:
        UsageError: With the way out.
    """
    place("--output", path, sources)
    _, extension = os.path.splitext(path)
    if extension.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        hint = nearest(extension.lower(), list(FORMATS)) or f"name a file that ends in {known}"
        raise UsageError(f"--output {path}: the extension {extension!r} is no format", hint)


def place(flag: str, path: str, sources: Iterable[str]) -> None:
    """Refuse a path that is an input, that is no file, or whose folder is not there.

    Args:
        flag: The option that names the path, for the message.
        path: Where something is to be written.
        sources: The inputs' paths: files, folders and globs.

    Raises:
        UsageError: With the way out.
    """
    real = os.path.realpath(path)
    for source in sources:
        inside = os.path.isdir(source) and os.path.dirname(real) == os.path.realpath(source)
        if inside or fnmatch(real, os.path.realpath(source)):
            raise UsageError(
                f"{flag} {path} is among the inputs, and would take their place",
                "name another file, in another folder than the parts of a data set",
            )
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise UsageError(f"{flag} {path}: there is no folder {folder}", "make it first")
    if os.path.isdir(path):
        raise UsageError(f"{flag} {path} is a folder", "name a file")
    if os.path.exists(path) and not os.path.isfile(path):
        raise UsageError(f"{flag} {path} is no file", "name one, or a file that is not there yet")


class Behind:
    """A writer on a thread of its own: the next rows are evaluated while it compresses."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._crew: Crew[tuple[Side, Losses], None] = Crew(lambda rows: writer.write(*rows), 1)
        self._waiting: deque[Job[tuple[Side, Losses], None]] = deque()

    def write(self, side: Side, losses: Losses) -> None:
        """Append rows, as soon as those before are written."""
        self._waiting.append(self._crew.give((side, losses)))
        if len(self._waiting) > BEHIND:
            self._waiting.popleft().result()

    def close(self) -> None:
        """Write what is left, and close."""
        try:
            while self._waiting:
                self._waiting.popleft().result()
        except BaseException:
            self.abandon()
            raise
        self._crew.dismiss()
        self._writer.close()

    def abandon(self) -> None:
        """Close without what waits to be written; errors are for what went wrong first."""
        self._waiting.clear()
        self._crew.dismiss()
        with suppress(Exception):
            self._writer.close()


class Output:
    """A sink that writes one row a sample: its number, key, groups and losses."""

    def __init__(
        self, path: str, writer: Writer, labels: list[str], key: str | None, by: list[str]
    ) -> None:
        self.path, self.writer, self.labels = path, writer, labels
        taken = {SAMPLE, *labels}
        self.key = None if key is None else free(key, "key", taken)
        self.by = [free(name, "group", taken) for name in by]

    def write(self, rows: Rows) -> None:
        """Take in the next samples."""
        import numpy as np

        side: dict[str, Values] = {SAMPLE: np.arange(rows.start, rows.start + rows.samples)}
        if self.key is not None and rows.key is not None:
            side[self.key] = rows.key
        side.update(zip(self.by, rows.by))
        with said(self.path):
            self.writer.write(side, dict(zip(self.labels, rows.losses)))


@contextmanager
def opened(path: str, labels: list[str], key: str | None, by: list[str]) -> Iterator[Output]:
    """The sink for a path. Nothing appears at the path unless all went well.

    Raises:
        DataError: The file cannot be written.
    """
    module = import_module(f"lossctl.output.{FORMATS[os.path.splitext(path)[1].lower()]}")
    make: Callable[[str], Writer] = module.open_writer
    with Aside() as files:
        with said(path):
            writer = Behind(make(files.place(path)))
        try:
            yield Output(path, writer, labels, key, by)
        except BaseException:
            writer.abandon()
            raise
        with said(path):
            writer.close()
        files.commit()
