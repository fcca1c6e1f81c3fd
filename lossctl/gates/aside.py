"""Files that take their places together: each is written aside, then all are renamed."""

from __future__ import annotations

import os
from contextlib import suppress

from lossctl.errors import DataError


class Aside:
    """Files on their way; nothing is changed before `commit`, and nothing after a failure."""

    def __init__(self) -> None:
        self._files: list[tuple[str, str]] = []

    def write(self, path: str, text: str) -> None:
        """Write a text."""
        aside = self._name(path)
        try:
            with open(aside, "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise _said(path, error) from None

    def copy(self, source: str, path: str) -> None:
        """Copy a file."""
        import shutil

        aside = self._name(path)
        try:
            shutil.copyfile(source, aside)
        except OSError as error:
            raise _said(path, error) from None

    def commit(self) -> None:
        """Rename all."""
        while self._files:
            aside, path = self._files[0]
            try:
                os.replace(aside, path)
            except OSError as error:
                raise _said(path, error) from None
            del self._files[0]

    def _name(self, path: str) -> str:
        place = os.path.realpath(path)  # a link stays one
        aside = f"{place}.part-{os.getpid()}"
        self._files.append((aside, place))
        return aside

    def __enter__(self) -> Aside:
        return self

    def __exit__(self, *_: object) -> None:
        for aside, _path in self._files:
            with suppress(OSError):
                os.unlink(aside)


def _said(path: str, error: OSError) -> DataError:
    why = (os.strerror(error.errno) if error.errno else str(error)).lower()
    return DataError(f"cannot write {path}: {why}", "name a file that you may write")
