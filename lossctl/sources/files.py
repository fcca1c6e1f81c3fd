"""One input file: local, standard input, a pipe, or in a filesystem of pyarrow."""

from __future__ import annotations

import os
import sys
from typing import Any, BinaryIO, NamedTuple, cast

from lossctl.errors import DataError
from lossctl.sources.text import path_text

STDIN = "-"


class File(NamedTuple):
    """An input file, not opened yet.

    Attributes:
        path: Where it is; `-` is standard input.
        filesystem: The pyarrow filesystem that path belongs to; None where it is local.
        compression: What pyarrow is to unpack on the way, by its name there.
        once: A pipe: it can be read only once and has no length.
    """

    path: str
    name: str
    filesystem: Any = None
    compression: str | None = None
    once: bool = False

    def binary(self) -> BinaryIO:
        """Open for the formats that need no pyarrow."""
        if self.filesystem is not None:
            return cast(BinaryIO, self.filesystem.open_input_file(self.path))
        if self.path == STDIN:
            return _stdin()
        return open(self.path, "rb")

    def release(self, stream: Any) -> None:
        """Close what `binary` opened; standard input is not ours to close."""
        if self.path != STDIN or self.filesystem is not None:
            stream.close()

    def stream(self) -> Any:
        """Open for reading the unpacked bytes in order."""
        if self.compression is None:
            return self.binary()
        import pyarrow as pa

        if self.filesystem is not None:
            raw = self.filesystem.open_input_stream(self.path, compression=None)
        else:
            raw = pa.PythonFile(self.binary(), "r") if self.once else pa.OSFile(self.path)
        if self.compression == "gzip" and (unpacked := _quickly_unpacked(raw)):
            return unpacked
        return pa.CompressedInputStream(raw, self.compression)

    def random(self) -> Any:
        """Open as a pyarrow file that can seek; a pipe goes to an unnamed temporary file."""
        import pyarrow as pa

        if self.filesystem is not None:
            return self.filesystem.open_input_file(self.path)
        return _spooled(self.binary()) if self.once else pa.OSFile(self.path)


def _quickly_unpacked(packed: Any) -> Any:
    """The bytes of a gzip stream by a library that takes half as long, where it is installed."""
    try:
        from isal import igzip
    except ImportError:
        return None
    reader: Any = igzip.IGzipFile
    return reader(fileobj=packed)


def local_file(path: str) -> File:
    """Describe a local path or standard input."""
    if path == STDIN:
        return File(path, "standard input", once=True)
    return File(path, path_text(path), once=not os.path.isfile(path))


def _stdin() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed:
        raise DataError("standard input is closed", "name a file, or pipe the data in")
    return sys.stdin.buffer


def _spooled(source: BinaryIO) -> Any:
    import shutil
    import tempfile

    import pyarrow as pa

    descriptor, path = tempfile.mkstemp(prefix="lossctl-")
    try:
        with open(descriptor, "wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        return pa.OSFile(path)
    finally:
        os.unlink(path)  # the open file lives on without its name
