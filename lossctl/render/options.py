"""What a renderer must know of the stream that its text goes to."""

from __future__ import annotations

from typing import NamedTuple

READABLE = 6
"""The significant digits shown to people who did not ask for a precision."""


class Style(NamedTuple):
    """How to render; the default suits a file or a pipe."""

    precision: int | None = None  # significant digits; None is the format's own choice
    width: int | None = None  # of the terminal in cells; None is 80
    color: bool = False
    terminal: bool = False  # false: full width, whatever it is
    unicode: bool = True  # false where the stream's encoding is smaller than that

    @property
    def readable(self) -> int:
        """The significant digits of numbers that are read, not computed with."""
        return READABLE if self.precision is None else self.precision

    @property
    def room(self) -> int | None:
        """The cells of a line; None where a line may be of any length."""
        return (self.width or 80) if self.terminal else None
