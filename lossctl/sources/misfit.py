"""A value that is not what was asked for, before it is known where it stands."""

from __future__ import annotations

from lossctl.errors import DataError
from lossctl.sources.parts import Part, place_in
from lossctl.sources.text import plain


class MisfitError(Exception):
    """A value that does not fit.

    Args:
        row: Its row, counted from the beginning of the array.
        what: What is wrong with it, as in "'abc' is no number".
        hint: What to do about it.
        column: Its column, where whoever raises this knows it.
    """

    def __init__(self, row: int, what: str, hint: str = "", column: str | None = None) -> None:
        super().__init__(what)
        self.row = row
        self.what = what
        self.hint = hint
        self.column = column

    def located(self, part: Part, first: int, column: str | None = None) -> DataError:
        """Say where it stands, given the row of the part at which the array begins."""
        place = place_in(part, first + self.row)
        name = self.column if column is None else column
        named = "" if name is None else f", column {plain(name)}"
        return DataError(f"{place}{named}: {self.what}", self.hint)
