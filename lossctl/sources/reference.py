"""Input references: `PATH[::COLUMNS]`."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class Reference(NamedTuple):
    """Where an input is: a path (`-` is standard input, empty the main table), columns."""

    path: str
    columns: str | None = None

    def within(self, folder: str) -> Reference:
        """The same where relative paths start from a folder; empty for the current one."""
        if not self.path or scheme_of(self.path):
            return self
        return self._replace(path=os.path.join(folder, self.path))

    def __str__(self) -> str:
        return self.path if self.columns is None else f"{self.path}::{self.columns}"


def parse_reference(text: str) -> Reference:
    """Split a reference at its first `::`; nothing after it means no columns."""
    path, _, columns = text.partition("::")
    return Reference(path, columns or None)


def scheme_of(path: str) -> str:
    """How a URI begins (`s3://`); empty where the path is none."""
    found = _SCHEME.match(path)
    return found.group() if found else ""
