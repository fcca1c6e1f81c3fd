"""Input references: `PATH[::COLUMNS]`."""

from __future__ import annotations

from typing import NamedTuple


class Reference(NamedTuple):
    """Where an input is: a path (`-` is standard input, empty the main table), columns."""

    path: str
    columns: str | None = None

    def __str__(self) -> str:
        return self.path if self.columns is None else f"{self.path}::{self.columns}"


def parse_reference(text: str) -> Reference:
    """Split a reference at its first `::`; nothing after it means no columns."""
    path, _, columns = text.partition("::")
    return Reference(path, columns or None)
