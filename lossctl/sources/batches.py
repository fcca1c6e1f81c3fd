"""Rows of an Arrow record batch, converted when a worker loads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lossctl.errors import DataError
from lossctl.sources.convert import numbers, values
from lossctl.sources.failures import reading
from lossctl.sources.misfit import MisfitError
from lossctl.sources.parts import Part
from lossctl.sources.table import Arrays
from lossctl.sources.text import listed


class ArrowPiece:
    """Rows of a batch of a part."""

    def __init__(self, part: Part, batch: Any, first: int, names: Mapping[str, bool]) -> None:
        self.rows: int = batch.num_rows
        self._part = part
        self._batch = batch
        self._first = first
        self._names = names

    def slice(self, start: int, stop: int) -> ArrowPiece:
        """Narrow to some of its rows."""
        batch = self._batch.slice(start, stop - start)
        return ArrowPiece(self._part, batch, self._first + start, self._names)

    def load(self) -> Arrays:
        """Convert the columns that are wanted."""
        return converted(self._part, self._batch.column, self._first, self._names)


def converted(
    part: Part, column: Callable[[str], Any], first: int, names: Mapping[str, bool]
) -> Arrays:
    """Convert columns, and say where what does not fit stands.

    Args:
        part: The part that they belong to.
        column: Gives the Arrow array of a column.
        first: The row of the part at which the arrays begin.
        names: The columns; true where numbers are wanted.
    """
    shapes = {known.name: known.shape for known in part.columns}
    arrays: Arrays = {}
    for name, number in names.items():
        try:
            with reading(part.name):
                array = column(name)
                arrays[name] = numbers(array, shapes[name]) if number else values(array)
        except MisfitError as error:
            raise error.located(part, first, name) from None
    return arrays


def unique(names: list[str], source: str) -> None:
    """Refuse a table in which a name stands for two columns."""
    from collections import Counter

    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise DataError(
            f"{source}: more than one column is named {listed(twice)}", "give each its own name"
        )
