"""Files that take their places together: each is written aside, then all are renamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lossctl.errors import DataError


class Aside:
    """Files on their way: nothing is changed before `commit`, and nothing is left aside."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, str]] = []

    def place(self, path: str) -> str:
        """Where to write, for now, what is to be at a path."""
        self._waiting.append((path, f"{_target(path)}.part-{os.getpid()}"))
        return self._waiting[-1][1]

    def write(self, path: str, text: str) -> None:
        """Write a text; what UTF-8 cannot hold is escaped."""
        with said(path), open(self.place(path), "wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))

    def copy(self, source: str, path: str) -> None:
        """Copy a file."""
        import shutil

        with said(path):
            shutil.copyfile(source, self.place(path))

    def commit(self) -> None:
        """Rename all.

        Raises:
            DataError: One cannot be renamed.
        """
        while self._waiting:
            path, aside = self._waiting[0]
            with said(path):
                os.replace(aside, _target(path))
            del self._waiting[0]

    def __enter__(self) -> Aside:
        return self

    def __exit__(self, *_: object) -> None:
        for _path, aside in self._waiting:
            with suppress(OSError):
                os.unlink(aside)


def _target(path: str) -> str:
    """Where a link leads: renaming would put the file in place of the link."""
    return os.path.realpath(path)


@contextmanager
def said(path: str) -> Iterator[None]:
    """Say of a file that cannot be written which it is."""
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot write {path}: {_reason(error)}", _way_out(error)) from None


def _reason(error: OSError) -> str:
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


def _way_out(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "make room, or name a file on another disk"
    return "name a file that you may write"
